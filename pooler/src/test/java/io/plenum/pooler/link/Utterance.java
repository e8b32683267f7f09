package io.plenum.pooler.link;

import io.plenum.testbed.Frames;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One message of a generated conversation: its type, its bytes, and words for whoever has to read it.
 *
 * @param fails that it is a row for COPY that the server refuses as soon as it reads it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Utterance(char type, byte[] bytes, String words, boolean fails) {
    static Utterance query(String sql) {
        return new Utterance('Q', Frames.query(sql), "Query \"" + sql + "\"", false);
    }

    static Utterance parse(String name, String sql) {
        return new Utterance('P', Frames.parse(name, sql), "Parse '" + name + "' \"" + sql + "\"", false);
    }

    static Utterance bind(String portal, String statement, @Nullable String... parameters) {
        String words = "Bind '" + portal + "' of '" + statement + "' " + Arrays.toString(parameters);
        return new Utterance('B', Frames.bind(portal, statement, parameters), words, false);
    }

    static Utterance describeStatement(String name) {
        return new Utterance('D', Frames.describeStatement(name), "Describe statement '" + name + "'", false);
    }

    static Utterance describePortal(String name) {
        return new Utterance('D', Frames.describePortal(name), "Describe portal '" + name + "'", false);
    }

    static Utterance execute(String portal, int maxRows) {
        return new Utterance('E', Frames.execute(portal, maxRows), "Execute '" + portal + "' " + maxRows, false);
    }

    static Utterance closeStatement(String name) {
        return new Utterance('C', Frames.closeStatement(name), "Close statement '" + name + "'", false);
    }

    static Utterance closePortal(String name) {
        return new Utterance('C', Frames.closePortal(name), "Close portal '" + name + "'", false);
    }

    static Utterance sync() {
        return new Utterance('S', Frames.sync(), "Sync", false);
    }

    static Utterance flush() {
        return new Utterance('H', Frames.flush(), "Flush", false);
    }

    static Utterance functionCall(int function, @Nullable String... arguments) {
        String words = "FunctionCall " + function + " " + Arrays.toString(arguments);
        return new Utterance('F', Frames.functionCall(function, arguments), words, false);
    }

    static Utterance row(String line) {
        return new Utterance('d', copyData(line), "CopyData \"" + line + "\"", false);
    }

    static Utterance badRow(String line) {
        return new Utterance('d', copyData(line), "CopyData, bad, \"" + line + "\"", true);
    }

    static Utterance copyDone() {
        return new Utterance('c', Frames.copyDone(), "CopyDone", false);
    }

    static Utterance copyFail() {
        return new Utterance('f', Frames.copyFail("changed my mind"), "CopyFail", false);
    }

    private static byte[] copyData(String line) {
        return Frames.copyData((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Whether it is a Bind, a Describe or an Execute of the portal without a name. */
    boolean namesUnnamedPortal() {
        return switch (type) {
            case 'B', 'E' -> bytes[5] == 0;
            case 'D' -> bytes[5] == 'P' && bytes[6] == 0;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return words;
    }
}
