/**
 * Many clients over few server connections while servers die, clients die, queries are cancelled and run out of time; every reply is judged.
 *
 * <p>Each client is one virtual thread with a blocking connection of its own. What is shared between clients is counted in {@code Tally},
 * which any thread may use.
 */
@NullMarked
package io.plenum.bench.faults;

import org.jspecify.annotations.NullMarked;
