/**
 * Changes the primary under writes, on purpose or by killing it, and counts what became of every single one.
 *
 * <p>Writers and readers run on virtual threads, one for each client; the change itself on the caller's.
 */
@NullMarked
package io.plenum.bench.switchover;

import org.jspecify.annotations.NullMarked;
