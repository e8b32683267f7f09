package io.plenum.wire.frontend;

import static io.plenum.wire.WireWriter.begin;
import static io.plenum.wire.WireWriter.cstring;
import static io.plenum.wire.WireWriter.empty;
import static io.plenum.wire.WireWriter.end;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.FrontendType;
import io.plenum.wire.WireWriter;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.ProtocolVersion;
import io.plenum.wire.startup.StartupPacket;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the messages that we send to a server in a client's place.
 *
 * <p>Manual, "Message Formats". Each method appends one whole message to the caller's buffer.
 */
public final class FrontendMessages {
    /** Means "all rows" to {@link #execute}. */
    public static final int ALL_ROWS = 0;

    private static final int NULL = -1;

    private FrontendMessages() {}

    /** Opens a session; the parameters go out in the map's order. */
    public static void startup(ByteBuf out, ProtocolVersion version, Map<String, String> parameters) {
        int start = beginPacket(out, version.code());
        parameters.forEach((name, value) -> {
            cstring(out, name);
            cstring(out, value);
        });
        out.writeByte(0);
        endPacket(out, start);
    }

    /** Asks for TLS; the server answers with one byte. */
    public static void sslRequest(ByteBuf out) {
        endPacket(out, beginPacket(out, StartupPacket.SSL_REQUEST));
    }

    /** Asks for GSSAPI encryption; the server answers with one byte. */
    public static void gssEncRequest(ByteBuf out) {
        endPacket(out, beginPacket(out, StartupPacket.GSS_ENCRYPTION_REQUEST));
    }

    /** Goes out alone on a connection of its own; the server answers by closing it. */
    public static void cancelRequest(ByteBuf out, CancelKey key) {
        int start = beginPacket(out, StartupPacket.CANCEL_REQUEST);
        out.writeInt(key.processId()).writeBytes(key.secret());
        endPacket(out, start);
    }

    /** A password, or the response to an MD5 request, without the NUL that the message ends it with. */
    public static void password(ByteBuf out, byte[] password) {
        for (byte b : password) {
            if (b == 0) {
                throw new IllegalArgumentException("NUL in a password");
            }
        }
        int start = begin(out, FrontendType.PASSWORD.code());
        out.writeBytes(password).writeByte(0);
        end(out, start);
    }

    /** Chooses a mechanism; null data says that the server is to begin. */
    public static void saslInitialResponse(ByteBuf out, String mechanism, byte @Nullable [] data) {
        int start = begin(out, FrontendType.PASSWORD.code());
        cstring(out, mechanism);
        value(out, data);
        end(out, start);
    }

    public static void saslResponse(ByteBuf out, byte[] data) {
        int start = begin(out, FrontendType.PASSWORD.code());
        out.writeBytes(data);
        end(out, start);
    }

    public static void query(ByteBuf out, String sql) {
        int start = begin(out, FrontendType.QUERY.code());
        cstring(out, sql);
        end(out, start);
    }

    /** Prepares a statement; an OID of 0 leaves the parameter's type to the server, and so do those left out. */
    public static void parse(ByteBuf out, String name, String sql, int... typeOids) {
        int start = begin(out, FrontendType.PARSE.code());
        cstring(out, name);
        cstring(out, sql);
        out.writeShort(WireWriter.count(typeOids.length));
        for (int oid : typeOids) {
            out.writeInt(oid);
        }
        end(out, start);
    }

    /** Binds values in text format (null is SQL's NULL) and asks for results in text format. */
    public static void bind(ByteBuf out, String portal, String statement, List<byte @Nullable []> textParams) {
        int start = begin(out, FrontendType.BIND.code());
        cstring(out, portal);
        cstring(out, statement);
        out.writeShort(0); // no format codes: all text
        out.writeShort(WireWriter.count(textParams.size()));
        for (byte[] value : textParams) {
            value(out, value);
        }
        out.writeShort(0);
        end(out, start);
    }

    public static void describeStatement(ByteBuf out, String name) {
        named(out, FrontendType.DESCRIBE, 'S', name);
    }

    public static void describePortal(ByteBuf out, String name) {
        named(out, FrontendType.DESCRIBE, 'P', name);
    }

    /** Runs a portal, up to so many rows or {@link #ALL_ROWS}. */
    public static void execute(ByteBuf out, String portal, int maxRows) {
        int start = begin(out, FrontendType.EXECUTE.code());
        cstring(out, portal);
        out.writeInt(maxRows);
        end(out, start);
    }

    public static void closeStatement(ByteBuf out, String name) {
        named(out, FrontendType.CLOSE, 'S', name);
    }

    public static void closePortal(ByteBuf out, String name) {
        named(out, FrontendType.CLOSE, 'P', name);
    }

    public static void sync(ByteBuf out) {
        empty(out, FrontendType.SYNC.code());
    }

    public static void flush(ByteBuf out) {
        empty(out, FrontendType.FLUSH.code());
    }

    public static void terminate(ByteBuf out) {
        empty(out, FrontendType.TERMINATE.code());
    }

    public static void copyData(ByteBuf out, byte[] data) {
        int start = begin(out, FrontendType.COPY_DATA.code());
        out.writeBytes(data);
        end(out, start);
    }

    public static void copyDone(ByteBuf out) {
        empty(out, FrontendType.COPY_DONE.code());
    }

    /** Ends a COPY with an error of these words. */
    public static void copyFail(ByteBuf out, String reason) {
        int start = begin(out, FrontendType.COPY_FAIL.code());
        cstring(out, reason);
        end(out, start);
    }

    /** Calls a function with values in text format (null is SQL's NULL) and asks for its result in text format. */
    public static void functionCall(ByteBuf out, int functionOid, List<byte @Nullable []> textArguments) {
        int start = begin(out, FrontendType.FUNCTION_CALL.code());
        out.writeInt(functionOid);
        out.writeShort(0); // no format codes: all text
        out.writeShort(WireWriter.count(textArguments.size()));
        for (byte[] value : textArguments) {
            value(out, value);
        }
        out.writeShort(0);
        end(out, start);
    }

    private static void named(ByteBuf out, FrontendType type, char kind, String name) {
        int start = begin(out, type.code());
        out.writeByte(kind);
        cstring(out, name);
        end(out, start);
    }

    private static void value(ByteBuf out, byte @Nullable [] value) {
        if (value == null) {
            out.writeInt(NULL);
        } else {
            out.writeInt(value.length).writeBytes(value);
        }
    }

    private static int beginPacket(ByteBuf out, int code) {
        int start = out.writerIndex();
        out.writeInt(0).writeInt(code);
        return start;
    }

    private static void endPacket(ByteBuf out, int start) {
        out.setInt(start, out.writerIndex() - start);
    }
}
