package io.plenum.wire.backend;

import static io.plenum.wire.WireWriter.begin;
import static io.plenum.wire.WireWriter.cstring;
import static io.plenum.wire.WireWriter.empty;
import static io.plenum.wire.WireWriter.end;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.BackendType;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.WireWriter;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.ProtocolVersion;
import java.util.List;

/**
 * Writes the messages that we send to a client in a server's place.
 *
 * <p>Manual, "Message Formats". Each method appends one whole message to the caller's buffer. Errors and notices are
 * written by {@link io.plenum.wire.error.ErrorResponse}.
 */
public final class BackendMessages {
    private BackendMessages() {}

    public static void authenticationOk(ByteBuf out) {
        authentication(out, Authentication.OK, new byte[0]);
    }

    public static void authenticationCleartextPassword(ByteBuf out) {
        authentication(out, Authentication.CLEARTEXT_PASSWORD, new byte[0]);
    }

    /** Asks for an MD5 response; the salt has 4 bytes. */
    public static void authenticationMd5Password(ByteBuf out, byte[] salt) {
        if (salt.length != Authentication.MD5_SALT) {
            throw new IllegalArgumentException("MD5 salt of " + salt.length + " bytes");
        }
        authentication(out, Authentication.MD5_PASSWORD, salt);
    }

    /** Offers the mechanisms, the one that we like best first. */
    public static void authenticationSasl(ByteBuf out, String... mechanisms) {
        int start = begin(out, BackendType.AUTHENTICATION.code());
        out.writeInt(Authentication.SASL);
        for (String mechanism : mechanisms) {
            cstring(out, mechanism);
        }
        out.writeByte(0);
        end(out, start);
    }

    public static void authenticationSaslContinue(ByteBuf out, byte[] data) {
        authentication(out, Authentication.SASL_CONTINUE, data);
    }

    public static void authenticationSaslFinal(ByteBuf out, byte[] data) {
        authentication(out, Authentication.SASL_FINAL, data);
    }

    public static void parameterStatus(ByteBuf out, String name, String value) {
        int start = begin(out, BackendType.PARAMETER_STATUS.code());
        cstring(out, name);
        cstring(out, value);
        end(out, start);
    }

    public static void backendKeyData(ByteBuf out, CancelKey key) {
        int start = begin(out, BackendType.BACKEND_KEY_DATA.code());
        out.writeInt(key.processId()).writeBytes(key.secret());
        end(out, start);
    }

    public static void readyForQuery(ByteBuf out, TransactionStatus status) {
        int start = begin(out, BackendType.READY_FOR_QUERY.code());
        out.writeByte(status.code());
        end(out, start);
    }

    public static void parseComplete(ByteBuf out) {
        empty(out, BackendType.PARSE_COMPLETE.code());
    }

    public static void bindComplete(ByteBuf out) {
        empty(out, BackendType.BIND_COMPLETE.code());
    }

    public static void closeComplete(ByteBuf out) {
        empty(out, BackendType.CLOSE_COMPLETE.code());
    }

    public static void noData(ByteBuf out) {
        empty(out, BackendType.NO_DATA.code());
    }

    public static void emptyQueryResponse(ByteBuf out) {
        empty(out, BackendType.EMPTY_QUERY_RESPONSE.code());
    }

    public static void portalSuspended(ByteBuf out) {
        empty(out, BackendType.PORTAL_SUSPENDED.code());
    }

    /** The tag as PostgreSQL writes it: {@code SET}, {@code SELECT 3}. */
    public static void commandComplete(ByteBuf out, String tag) {
        int start = begin(out, BackendType.COMMAND_COMPLETE.code());
        cstring(out, tag);
        end(out, start);
    }

    /** The types of a statement's parameters. */
    public static void parameterDescription(ByteBuf out, int... typeOids) {
        int start = begin(out, BackendType.PARAMETER_DESCRIPTION.code());
        out.writeShort(WireWriter.count(typeOids.length));
        for (int oid : typeOids) {
            out.writeInt(oid);
        }
        end(out, start);
    }

    /** What another session notified. */
    public static void notificationResponse(ByteBuf out, int processId, String channel, String payload) {
        int start = begin(out, BackendType.NOTIFICATION_RESPONSE.code());
        out.writeInt(processId);
        cstring(out, channel);
        cstring(out, payload);
        end(out, start);
    }

    /**
     * Answers a startup packet that asked for more than we speak; sent once, before authentication.
     *
     * <p>The manual calls the first field a minor version; PostgreSQL 15 to 18 send the whole version number there, and
     * libpq reads it so.
     *
     * @param newestMinor the minor version of protocol 3 that is spoken from here on
     * @param unknown the protocol options that were asked for and are not understood
     */
    public static void negotiateProtocolVersion(ByteBuf out, int newestMinor, List<String> unknown) {
        int start = begin(out, BackendType.NEGOTIATE_PROTOCOL_VERSION.code());
        out.writeInt(new ProtocolVersion(ProtocolVersion.NEWEST.major(), newestMinor).code());
        out.writeInt(unknown.size());
        for (String option : unknown) {
            cstring(out, option);
        }
        end(out, start);
    }

    private static void authentication(ByteBuf out, int code, byte[] data) {
        int start = begin(out, BackendType.AUTHENTICATION.code());
        out.writeInt(code).writeBytes(data);
        end(out, start);
    }
}
