/**
 * Proving who one is: the messages of SCRAM-SHA-256 on both sides, and the secrets that they are checked against.
 *
 * <p>The arithmetic is that of the ongres library; the exchange and every parser of a stranger's bytes are ours, with
 * bounds. Secrets are compared in constant time and never printed. What derives a key from a password takes
 * milliseconds and says so: it does not belong on an event loop.
 */
@NullMarked
package io.plenum.wire.auth;

import org.jspecify.annotations.NullMarked;
