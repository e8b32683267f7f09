package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import java.util.ArrayList;
import java.util.List;

/**
 * What a server wants next of somebody who logs in.
 *
 * <p>Manual, "Message Formats", the Authentication family.
 */
@SuppressWarnings("ArrayRecordComponent") // handed over once and never compared
public sealed interface Authentication {
    int OK = 0;
    int CLEARTEXT_PASSWORD = 3;
    int MD5_PASSWORD = 5;
    int SASL = 10;
    int SASL_CONTINUE = 11;
    int SASL_FINAL = 12;

    /** Bytes of the salt of an MD5 request. */
    int MD5_SALT = 4;

    /** Mechanisms that are read of a server's offer; PostgreSQL offers three at most. */
    int MAX_MECHANISMS = 32;

    /** Longest message of a SASL exchange that is taken from a server, in bytes. */
    int MAX_SASL_DATA = 4096;

    /** The login has succeeded. */
    record Ok() implements Authentication {}

    record CleartextPassword() implements Authentication {}

    record Md5Password(byte[] salt) implements Authentication {}

    /** The names of the mechanisms, the server's favourite first. */
    record Sasl(List<String> mechanisms) implements Authentication {}

    record SaslContinue(byte[] data) implements Authentication {}

    record SaslFinal(byte[] data) implements Authentication {}

    /** Kerberos, GSSAPI, SSPI, or what a later version brings. */
    record Unsupported(int code) implements Authentication {}

    /** Reads the body of an Authentication message; a {@link ProtocolException} when it is malformed. */
    static Authentication parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        int code = body.readInt();
        Authentication authentication = switch (code) {
            case OK -> new Ok();
            case CLEARTEXT_PASSWORD -> new CleartextPassword();
            case MD5_PASSWORD -> new Md5Password(body.readBytes(MD5_SALT));
            case SASL -> new Sasl(mechanisms(body));
            case SASL_CONTINUE -> new SaslContinue(saslData(body));
            case SASL_FINAL -> new SaslFinal(saslData(body));
            default -> new Unsupported(code);
        };
        if (!(authentication instanceof Unsupported)) {
            body.expectEnd();
        }
        return authentication;
    }

    private static List<String> mechanisms(WireReader body) {
        List<String> mechanisms = new ArrayList<>();
        for (String name = body.readCString(); !name.isEmpty(); name = body.readCString()) {
            if (mechanisms.size() == MAX_MECHANISMS) {
                throw new ProtocolException("server offers more than " + MAX_MECHANISMS + " SASL mechanisms");
            }
            mechanisms.add(name);
        }
        return List.copyOf(mechanisms);
    }

    private static byte[] saslData(WireReader body) {
        if (body.remaining() > MAX_SASL_DATA) {
            throw new ProtocolException("SASL message of " + body.remaining() + " bytes from server");
        }
        return body.readBytes(body.remaining());
    }
}
