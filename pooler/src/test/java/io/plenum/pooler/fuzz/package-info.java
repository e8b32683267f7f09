/**
 * Inputs that nobody would send: what reads strangers' bytes is fed by a fuzzer, with oracles that ask for more than that nothing
 * is thrown.
 *
 * <p>A target is a class with {@code fuzzerTestOneInput}, which Jazzer calls in a process of its own ({@link
 * io.plenum.pooler.fuzz.FuzzIT}) and the ordinary tests call with seeds and with what was once found.
 */
@NullMarked
package io.plenum.pooler.fuzz;

import org.jspecify.annotations.NullMarked;
