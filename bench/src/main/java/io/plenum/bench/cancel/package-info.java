/**
 * Races between a cancel request and the hand-over of a server connection.
 *
 * <p>Runs on virtual threads, one for each client.
 */
@NullMarked
package io.plenum.bench.cancel;

import org.jspecify.annotations.NullMarked;
