/** What a read must have seen before a standby may answer it: positions in the primary's WAL. */
@NullMarked
package io.plenum.routing.causal;

import org.jspecify.annotations.NullMarked;
