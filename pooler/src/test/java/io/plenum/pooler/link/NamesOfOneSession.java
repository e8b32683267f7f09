package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one session answers to messages that give, use and take names of prepared statements, by the manual's "Message Flow":
 * an account of names and groups alone, against which those of {@link StatementNames} are held.
 *
 * <p>What PostgreSQL itself does is the matter of {@link GeneratedConversationsIT}; this one answers in whatever order of
 * events a test wants. Texts with BAD are refused by Parse, those with FAIL when they run. As PostgreSQL's, its answers are
 * held back until Sync, Flush, an error or the end of a Query.
 */
final class NamesOfOneSession {
    private final Map<String, String> statements = new HashMap<>();
    private final List<ByteBuf> heldBack = new ArrayList<>();
    private final Deque<ByteBuf> answers = new ArrayDeque<>();
    private @Nullable String portal;
    private boolean skipping;
    private char status = 'I';

    /** Takes in the messages of the buffer, and frees it. */
    void receive(ByteBuf messages) {
        while (messages.isReadable()) {
            char type = (char) messages.readByte();
            ByteBuf body = messages.readSlice(messages.readInt() - 4);
            if (!skipping || type == 'S') {
                receive(type, body);
            }
        }
        messages.release();
    }

    private void receive(char type, ByteBuf body) {
        switch (type) {
            case 'P' -> parse(string(body), string(body));
            case 'B' -> {
                string(body);
                use(string(body), '2');
            }
            case 'D' -> {
                body.readByte();
                use(string(body), 't');
            }
            case 'E' -> execute();
            case 'C' -> {
                body.readByte();
                statements.remove(string(body));
                answer('3', "");
            }
            case 'H' -> flush();
            case 'S' -> {
                skipping = false;
                ready();
            }
            case 'Q' -> {
                statements.remove("");
                run(string(body));
                skipping = false;
                ready();
            }
            default -> throw new IllegalArgumentException("not a message of this test: " + type);
        }
    }

    private void parse(String name, String text) {
        if (name.isEmpty()) {
            statements.remove("");
        }
        if (text.contains("BAD")) {
            fail("42601", "syntax error in " + text);
        } else if (isRefused(text)) {
            fail("25P02", "current transaction is aborted");
        } else if (!name.isEmpty() && statements.containsKey(name)) {
            fail("42P05", "prepared statement \"" + name + "\" already exists");
        } else {
            statements.put(name, text);
            answer('1', "");
        }
    }

    private void use(String name, char complete) {
        String text = statements.get(name);
        if (text == null) {
            fail(
                    "26000",
                    name.isEmpty()
                            ? "unnamed prepared statement does not exist"
                            : "prepared statement \"" + name + "\" does not exist");
        } else if (isRefused(text)) {
            fail("25P02", "current transaction is aborted");
        } else if (complete == '2') {
            portal = text;
            answer('2', "");
        } else {
            ByteBuf body = Unpooled.buffer().writeShort(1).writeInt(text.hashCode());
            heldBack.add(message('t', body));
            answer('n', "");
        }
    }

    private void execute() {
        String text = portal;
        if (text == null) {
            fail("34000", "portal \"\" does not exist");
        } else {
            run(text);
        }
    }

    private void run(String text) {
        if (text.contains("BAD")) {
            fail("42601", "syntax error in " + text);
        } else if (isRefused(text)) {
            fail("25P02", "current transaction is aborted");
        } else if (text.contains("FAIL")) {
            fail("22012", "division by zero in " + text);
        } else if (text.isEmpty()) {
            answer('I', "");
        } else {
            switch (text) {
                case "BEGIN" -> status = 'T';
                case "ROLLBACK" -> status = 'I';
                case "DEALLOCATE ALL" -> statements.keySet().removeIf(name -> !name.isEmpty());
                default -> {
                    // only its tag tells
                }
            }
            answer('C', text + "\0");
        }
    }

    private boolean isRefused(String text) {
        return status == 'E' && !text.equals("ROLLBACK") && !text.isEmpty();
    }

    private void fail(String code, String message) {
        answer('E', "SERROR\0VERROR\0C" + code + "\0M" + message + "\0\0");
        flush();
        skipping = true;
        portal = null;
        status = status == 'I' ? 'I' : 'E';
    }

    private void ready() {
        portal = null;
        answer('Z', String.valueOf(status));
        flush();
    }

    private void answer(char type, String body) {
        heldBack.add(message(type, Unpooled.copiedBuffer(body, StandardCharsets.UTF_8)));
    }

    private static ByteBuf message(char type, ByteBuf body) {
        return Unpooled.buffer()
                .writeByte(type)
                .writeInt(4 + body.readableBytes())
                .writeBytes(body);
    }

    private void flush() {
        answers.addAll(heldBack);
        heldBack.clear();
    }

    /** The oldest answer that is not held back; null for none. */
    @Nullable
    ByteBuf answer() {
        return answers.poll();
    }

    /** How many statements with a name it has. */
    int named() {
        return statements.size() - (statements.containsKey("") ? 1 : 0);
    }

    private static String string(ByteBuf body) {
        int length = body.bytesBefore((byte) 0);
        String text = body.readCharSequence(length, StandardCharsets.UTF_8).toString();
        body.skipBytes(1);
        return text;
    }
}
