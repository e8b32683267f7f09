package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import io.plenum.wire.error.SqlState;

/**
 * The bodies of messages of type {@code p} that answer a request for a password: what they mean depends on what was
 * asked.
 *
 * <p>What is returned is the caller's, to be wiped after use.
 */
public final class PasswordMessage {
    private PasswordMessage() {}

    /**
     * The password, or the response to an MD5 request, without its NUL.
     *
     * @throws ProtocolException in the words of recv_password_packet (auth.c) when the message is malformed or the
     * password
     *     empty
     */
    public static byte[] parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        int nul = bodyStart > bodyEnd ? -1 : bytes.indexOf(bodyStart, bodyEnd, (byte) 0);
        if (nul < 0 || nul + 1 != bodyEnd) {
            throw new ProtocolException("invalid password packet size");
        }
        if (nul == bodyStart) {
            // PostgreSQL refuses it wherever the password will be compared, for some methods take it as "none given".
            throw new ProtocolException(SqlState.INVALID_PASSWORD, "empty password returned by client");
        }
        return new WireReader(bytes, bodyStart, nul).readBytes(nul - bodyStart);
    }

    /** The same for a body that stands alone. */
    public static byte[] parse(byte[] body) {
        return parse(Unpooled.wrappedBuffer(body), 0, body.length);
    }

    /** The message of a SASLResponse; a {@link ProtocolException} when it is longer than any exchange needs. */
    public static byte[] parseSasl(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        return saslData(body, body.remaining());
    }

    static byte[] saslData(WireReader body, int length) {
        if (length > SaslInitialResponse.MAX_DATA) {
            throw new ProtocolException("SASL message of " + length + " bytes from client");
        }
        return body.readBytes(length);
    }
}
