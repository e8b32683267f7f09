/**
 * Poolers as processes of their own, and what the operating system says they cost.
 *
 * <p>Each call runs on its caller's thread and blocks it.
 */
@NullMarked
package io.plenum.bench.process;

import org.jspecify.annotations.NullMarked;
