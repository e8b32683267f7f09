/**
 * What the pooler counts, and how the world reads it: facts gathered from the loops, averages, shares of the nodes, and
 * the HTTP page with {@code /livez}, {@code /readyz} and {@code /metrics}.
 *
 * <p>Knows values alone and none of the objects that they are read from. {@link io.plenum.pooler.metrics.History} and the
 * HTTP page run on the control loop, beside all traffic; everything else is immutable.
 */
@NullMarked
package io.plenum.pooler.metrics;

import org.jspecify.annotations.NullMarked;
