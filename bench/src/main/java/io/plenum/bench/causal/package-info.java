/** Writes and reads them back, while standbys lag, pause and take over. */
@NullMarked
package io.plenum.bench.causal;

import org.jspecify.annotations.NullMarked;
