package io.plenum.testbed;

import java.time.Duration;

/**
 * What a {@link FaultProxy} does to the bytes of one direction.
 *
 * <p>Byte numbers count per connection and direction, from when the fault was set, or from the connection's first byte
 * if that is later.
 */
public sealed interface Fault {
    /** The bytes go on as they come. */
    record None() implements Fault {}

    /** The bytes go on, each so much later; throughput and order stay. */
    record Latency(Duration delay) implements Fault {}

    /**
     * The bytes are taken and thrown away; the sender notices nothing. An end of the stream does not arrive either,
     * until the next fault.
     */
    record Blackhole() implements Fault {}

    /**
     * After so many bytes nothing goes on and, once buffers are full, nothing is taken. The bytes are kept, and go on
     * under the next fault.
     */
    record StallAfter(long bytes) implements Fault {}

    /** After so many bytes both sides see the end of the stream: an orderly close, but in the middle of a message. */
    record CloseAfter(long bytes) implements Fault {}

    /** After so many bytes both sides are reset. */
    record ResetAfter(long bytes) implements Fault {}

    /** After so many bytes this direction ends, the other goes on: a half close. */
    record HalfCloseAfter(long bytes) implements Fault {}

    /** The bytes go on in pieces of at most this size, each in a write of its own, with a pause after each. */
    record Chop(int pieceBytes, Duration pause) implements Fault {
        public Chop {
            if (pieceBytes < 1) {
                throw new IllegalArgumentException("a piece has at least one byte, not " + pieceBytes);
            }
        }

        public Chop(int pieceBytes) {
            this(pieceBytes, Duration.ZERO);
        }
    }
}
