package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import org.jspecify.annotations.Nullable;

/**
 * A client's choice of a SASL mechanism, with its first message.
 *
 * @param data null when the client wants the server to begin
 */
@SuppressWarnings("ArrayRecordComponent") // handed over once and never compared
public record SaslInitialResponse(String mechanism, byte @Nullable [] data) {
    /** Longest SASL message that is taken of a client, in bytes. */
    public static final int MAX_DATA = 4096;

    private static final int NONE = -1;

    /** Reads the body of a SASLInitialResponse; a {@link ProtocolException} when it is malformed. */
    public static SaslInitialResponse parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        String mechanism = body.readCString();
        int length = body.readInt();
        byte[] data = length == NONE ? null : PasswordMessage.saslData(body, length);
        body.expectEnd();
        return new SaslInitialResponse(mechanism, data);
    }

    /** The same for a body that stands alone. */
    public static SaslInitialResponse parse(byte[] body) {
        return parse(Unpooled.wrappedBuffer(body), 0, body.length);
    }
}
