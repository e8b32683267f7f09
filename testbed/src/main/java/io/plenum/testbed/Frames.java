package io.plenum.testbed;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The frontend messages of protocol 3 as whole frames, ready to be sent, cut or joined by a test.
 *
 * <p>Nothing is checked: a test may build what no driver would send. Strings are written as UTF-8. Layouts are those of
 * the manual, "Message Formats".
 */
public final class Frames {
    /** Protocol 3.0 as a startup packet writes it: major version in the upper 16 bits, minor in the lower. */
    public static final int PROTOCOL_3_0 = 3 << 16;

    /** Protocol 3.2, whose cancel keys have up to 256 bytes. */
    public static final int PROTOCOL_3_2 = (3 << 16) | 2;

    private static final int CANCEL_REQUEST = (1234 << 16) | 5678;
    private static final int SSL_REQUEST = (1234 << 16) | 5679;
    private static final int GSSENC_REQUEST = (1234 << 16) | 5680;

    private Frames() {}

    /** StartupMessage of the given protocol version. */
    public static byte[] startup(int protocolVersion, Map<String, String> parameters) {
        return untyped(out -> {
            out.writeInt(protocolVersion);
            for (var parameter : parameters.entrySet()) {
                string(out, parameter.getKey());
                string(out, parameter.getValue());
            }
            out.writeByte(0);
        });
    }

    /** SSLRequest; the server answers with the single byte S or N, or with an ErrorResponse. */
    public static byte[] sslRequest() {
        return untyped(out -> out.writeInt(SSL_REQUEST));
    }

    /** GSSENCRequest; the server answers with the single byte G or N, or with an ErrorResponse. */
    public static byte[] gssEncRequest() {
        return untyped(out -> out.writeInt(GSSENC_REQUEST));
    }

    /** CancelRequest, which goes over a connection of its own and is never answered. */
    public static byte[] cancelRequest(int processId, byte[] secret) {
        return untyped(out -> {
            out.writeInt(CANCEL_REQUEST);
            out.writeInt(processId);
            out.write(secret);
        });
    }

    /** PasswordMessage, SASLResponse or GSSResponse: all three are type p with any body. */
    public static byte[] password(byte[] body) {
        return frame('p', body);
    }

    /** Query: the simple protocol. */
    public static byte[] query(String sql) {
        return typed('Q', out -> string(out, sql));
    }

    /** Parse; the empty name is the unnamed statement. Object identifier 0 leaves a parameter's type to the server. */
    public static byte[] parse(String statement, String sql, int... parameterTypes) {
        return typed('P', out -> {
            string(out, statement);
            string(out, sql);
            out.writeShort(parameterTypes.length);
            for (int type : parameterTypes) {
                out.writeInt(type);
            }
        });
    }

    /** Bind with all parameters and results in text format; null is SQL's NULL. */
    public static byte[] bind(String portal, String statement, @Nullable String... parameters) {
        return typed('B', out -> {
            string(out, portal);
            string(out, statement);
            out.writeShort(0);
            out.writeShort(parameters.length);
            for (var parameter : parameters) {
                value(out, parameter == null ? null : parameter.getBytes(StandardCharsets.UTF_8));
            }
            out.writeShort(0);
        });
    }

    /** Bind with formats as the protocol counts them (0 text, 1 binary; none, one for all, or one each). */
    public static byte[] bind(
            String portal, String statement, int[] formats, List<byte @Nullable []> parameters, int... resultFormats) {
        return typed('B', out -> {
            string(out, portal);
            string(out, statement);
            shorts(out, formats);
            out.writeShort(parameters.size());
            for (var parameter : parameters) {
                value(out, parameter);
            }
            shorts(out, resultFormats);
        });
    }

    /** Describe of a prepared statement. */
    public static byte[] describeStatement(String statement) {
        return named('D', 'S', statement);
    }

    /** Describe of a portal. */
    public static byte[] describePortal(String portal) {
        return named('D', 'P', portal);
    }

    /** Execute; 0 rows means all. */
    public static byte[] execute(String portal, int maxRows) {
        return typed('E', out -> {
            string(out, portal);
            out.writeInt(maxRows);
        });
    }

    /** Execute of the unnamed portal without a limit. */
    public static byte[] execute() {
        return execute("", 0);
    }

    /** Close of a prepared statement. */
    public static byte[] closeStatement(String statement) {
        return named('C', 'S', statement);
    }

    /** Close of a portal. */
    public static byte[] closePortal(String portal) {
        return named('C', 'P', portal);
    }

    /** Sync. */
    public static byte[] sync() {
        return frame('S', new byte[0]);
    }

    /** Flush. */
    public static byte[] flush() {
        return frame('H', new byte[0]);
    }

    /** CopyData. */
    public static byte[] copyData(byte[] data) {
        return frame('d', data);
    }

    /** CopyDone. */
    public static byte[] copyDone() {
        return frame('c', new byte[0]);
    }

    /** CopyFail. */
    public static byte[] copyFail(String reason) {
        return typed('f', out -> string(out, reason));
    }

    /** FunctionCall of the function with this object identifier, arguments and result in text format. */
    public static byte[] functionCall(int function, @Nullable String... arguments) {
        return typed('F', out -> {
            out.writeInt(function);
            out.writeShort(0);
            out.writeShort(arguments.length);
            for (var argument : arguments) {
                value(out, argument == null ? null : argument.getBytes(StandardCharsets.UTF_8));
            }
            out.writeShort(0);
        });
    }

    /** Terminate. */
    public static byte[] terminate() {
        return frame('X', new byte[0]);
    }

    /** Any message: type, length word, body. */
    public static byte[] frame(char type, byte[] body) {
        return typed(type, out -> out.write(body));
    }

    /** Frames one after the other, to go out in one write. */
    public static byte[] join(byte[]... frames) {
        var all = new ByteArrayOutputStream();
        for (var frame : frames) {
            all.writeBytes(frame);
        }
        return all.toByteArray();
    }

    private interface Body {
        void writeTo(DataOutputStream out) throws IOException;
    }

    private static byte[] named(char type, char kind, String name) {
        return typed(type, out -> {
            out.writeByte(kind);
            string(out, name);
        });
    }

    private static byte[] typed(char type, Body body) {
        return build(bytes -> {
            bytes.writeByte(type);
            bytes.write(untyped(body));
        });
    }

    private static byte[] untyped(Body body) {
        var content = build(body);
        return build(out -> {
            out.writeInt(content.length + 4); // the length word counts itself, not the type
            out.write(content);
        });
    }

    private static byte[] build(Body body) {
        var bytes = new ByteArrayOutputStream();
        try {
            body.writeTo(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail", e);
        }
        return bytes.toByteArray();
    }

    private static void string(DataOutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.writeByte(0);
    }

    private static void value(DataOutputStream out, byte @Nullable [] value) throws IOException {
        if (value == null) {
            out.writeInt(-1);
        } else {
            out.writeInt(value.length);
            out.write(value);
        }
    }

    private static void shorts(DataOutputStream out, int[] values) throws IOException {
        out.writeShort(values.length);
        for (int value : values) {
            out.writeShort(value);
        }
    }
}
