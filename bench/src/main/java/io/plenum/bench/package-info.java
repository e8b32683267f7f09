/**
 * Programs that drive a whole pooler: the demo, the comparison with PgBouncer, and the races and faults that judge it.
 *
 * <p>May use everything below it and print to the terminal. Nothing here runs on an event loop: programs use their own, mostly virtual,
 * threads.
 */
@NullMarked
package io.plenum.bench;

import org.jspecify.annotations.NullMarked;
