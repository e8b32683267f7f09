/** What becomes of those who log in while others attack: {@code plenum bench logins}. */
@NullMarked
package io.plenum.bench.logins;

import org.jspecify.annotations.NullMarked;
