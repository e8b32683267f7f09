package io.plenum.wire.startup;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import io.plenum.wire.error.SqlState;

/**
 * The packet that opens a connection; it has no type byte.
 *
 * <p>Manual, "Message Formats": SSLRequest, GSSENCRequest, CancelRequest and StartupMessage. What is taken and what is
 * refused follows ProcessStartupPacket of PostgreSQL 18's backend_startup.c.
 */
public sealed interface StartupPacket {
    /** Longest packet without its length word, in bytes; MAX_STARTUP_PACKET_LENGTH. */
    int MAX_BODY = 10_000;

    /** Bytes of the length word, which counts itself. */
    int LENGTH_WORD = 4;

    /** Protocol number 1234.5678, the Int32 behind the length word of a CancelRequest. */
    int CANCEL_REQUEST = 1234 << 16 | 5678;

    /** Protocol number 1234.5679. */
    int SSL_REQUEST = 1234 << 16 | 5679;

    /** Protocol number 1234.5680. */
    int GSS_ENCRYPTION_REQUEST = 1234 << 16 | 5680;

    /**
     * The client asks for TLS and waits for one byte, {@code S} or {@code N}. PostgreSQL takes it once per connection,
     * and so refuses a second with {@link #unsupported}.
     */
    record Ssl() implements StartupPacket {}

    /**
     * The client asks for GSSAPI encryption and waits for one byte, {@code G} or {@code N}; taken once, like {@link
     * Ssl}.
     */
    record GssEncryption() implements StartupPacket {}

    /** The client wants a statement of another connection cancelled; it is never answered, only closed. */
    record Cancel(CancelKey key) implements StartupPacket {}

    /** The client wants a session. */
    record Startup(ProtocolVersion version, StartupParameters parameters) implements StartupPacket {}

    /**
     * The length that the packet at this index declares, in bytes, its length word included; four bytes must be
     * readable.
     *
     * @throws ProtocolException when no startup packet is that long. PostgreSQL closes such a connection without a
     * word,
     *     for it may be speaking something else altogether
     */
    static int lengthAt(ByteBuf bytes, int start) {
        int length = bytes.getInt(start);
        if (length < LENGTH_WORD + 4 || length > LENGTH_WORD + MAX_BODY) {
            throw new ProtocolException("invalid length of startup packet");
        }
        return length;
    }

    /**
     * Reads the packet that begins with its length word at {@code start} and is {@code length} bytes long altogether.
     * Nothing of the bytes is kept.
     *
     * @throws ProtocolException with PostgreSQL's SQLSTATE and words when it would refuse the packet
     */
    static StartupPacket parse(ByteBuf bytes, int start, int length) {
        if (lengthAt(bytes, start) != length) {
            throw new ProtocolException("invalid length of startup packet");
        }
        WireReader body = new WireReader(bytes, start + LENGTH_WORD, start + length);
        int code = body.readInt();
        int rest = start + LENGTH_WORD + Integer.BYTES;
        return switch (code) {
            // PostgreSQL does not look at what a request of encryption has behind its code.
            case SSL_REQUEST -> new Ssl();
            case GSS_ENCRYPTION_REQUEST -> new GssEncryption();
            case CANCEL_REQUEST -> new Cancel(cancelKey(body));
            default -> {
                ProtocolVersion version = ProtocolVersion.of(code);
                if (!version.isSupported()) {
                    throw unsupported(version);
                }
                yield new Startup(version, StartupParameters.parse(bytes, rest, start + length));
            }
        };
    }

    /** What PostgreSQL says to a version, or to a request made twice, that it does not take: FATAL 0A000. */
    static ProtocolException unsupported(ProtocolVersion version) {
        return new ProtocolException(
                SqlState.FEATURE_NOT_SUPPORTED,
                "unsupported frontend protocol %s: server supports %s to %s"
                        .formatted(version, ProtocolVersion.V3_0, ProtocolVersion.NEWEST));
    }

    private static CancelKey cancelKey(WireReader body) {
        if (body.remaining() < 4) {
            throw new ProtocolException("invalid length of cancel request packet");
        }
        int processId = body.readInt();
        int length = body.remaining();
        if (length == 0 || length > CancelKey.MAX_SECRET) {
            throw new ProtocolException("invalid length of cancel key in cancel request packet");
        }
        return new CancelKey(processId, body.readBytes(length));
    }
}
