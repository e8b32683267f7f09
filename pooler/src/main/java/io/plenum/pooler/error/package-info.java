/**
 * Everything that we can say to a client ourselves, each declared once.
 */
@NullMarked
package io.plenum.pooler.error;

import org.jspecify.annotations.NullMarked;
