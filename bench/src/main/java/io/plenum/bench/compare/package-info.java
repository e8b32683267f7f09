/**
 * Plenum beside PgBouncer: the same load in turns, each figure a ratio inside one round.
 *
 * <p>Absolute figures of a shared machine say little; two runs next to each other say much. One thread runs everything in turn.
 */
@NullMarked
package io.plenum.bench.compare;

import org.jspecify.annotations.NullMarked;
