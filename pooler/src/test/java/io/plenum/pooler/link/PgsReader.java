package io.plenum.pooler.link;

import io.plenum.pooler.link.PgsScript.Step;
import io.plenum.testbed.Frames;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads files of scripts, {@code .pgs}.
 *
 * <pre>
 * # a comment; directly above a script it is the reason why that script is there
 * == name of the script
 * login TimeZone "Asia/Tokyo"        what the startup packet says
 * since 18                           the first version of PostgreSQL with which the pooler differs
 * Query "SELECT 1"                   one message a line
 * Parse s1 "SELECT $1::int" 23       name, text, types of parameters
 * Describe S s1
 * Bind "" s1 ["5", null] in 0 out 1  portal, statement, values, formats of both where they are not all text
 * Execute "" 0
 * Close P ""
 * FunctionCall 870 ["loud"]
 * CopyData "1\tx\n"
 * Flush, Sync, CopyDone, CopyFail "no", Terminate
 * Frame q "any body"
 * 0x5100000003                       bytes as they are
 * repeat 64 {                        until the line with }; {i} is 1, 2, 3 .. in the lines between
 * cancel                             asks over a second connection that what runs be cancelled
 * meanwhile "DROP TABLE x"           said by somebody else on the server
 * stranger "SET work_mem = '3MB'"    said by another client of the same pool, who then leaves
 * </pre>
 *
 * <p>A blank line, the end of the script or {@code --} sends in one write what was collected and waits: for one
 * ReadyForQuery for each Query, FunctionCall and Sync, or as it says: {@code -- ready 3}, {@code -- until s}, {@code --
 * end}, {@code -- nothing}. Texts are as {@link PgsLine#bytes} tells.
 */
final class PgsReader {
    private final String file;
    private final List<PgsScript> scripts = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final StringBuilder comment = new StringBuilder();

    private @Nullable String name;
    private String place = "";
    private String reason = "";
    private int since;
    private Map<String, String> login = new LinkedHashMap<>();
    private List<Step> steps = new ArrayList<>();
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private int owed;

    private PgsReader(String file) {
        this.file = file;
    }

    /** @throws IllegalArgumentException with file and line when a script is not what this class says */
    static List<PgsScript> read(String file, String text) {
        var reader = new PgsReader(file);
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("repeat ")) {
                i = reader.repeat(lines, i);
            } else {
                reader.line(new PgsLine(file + ":" + (i + 1), lines.get(i)), file + ":" + (i + 1));
            }
        }
        reader.finish(new PgsLine(file + ":" + lines.size(), "end of file"));
        return List.copyOf(reader.scripts);
    }

    /** Reads the lines of a block as often as it says; the answer is where it ends. */
    private int repeat(List<String> lines, int begin) {
        var head = new PgsLine(file + ":" + (begin + 1), lines.get(begin));
        head.takes("repeat");
        int times = head.number("a number of times");
        if (!head.takes("{")) {
            throw head.wrong("a { is missing");
        }
        head.end();
        int end = begin + 1;
        while (end < lines.size() && !lines.get(end).equals("}")) {
            end++;
        }
        if (end == lines.size()) {
            throw head.wrong("the block has no }");
        }
        for (int round = 1; round <= times; round++) {
            for (int i = begin + 1; i < end; i++) {
                String at = file + ":" + (i + 1);
                line(new PgsLine(at, lines.get(i).replace("{i}", Integer.toString(round))), at);
            }
        }
        return end;
    }

    private void line(PgsLine line, String at) {
        if (line.takes("#")) {
            comment.append(comment.isEmpty() ? "" : " ").append(line.rest());
            return;
        }
        if (line.takes("==")) {
            finish(line);
            name = line.rest();
            place = at;
            reason = comment.toString();
            if (name.isEmpty()) {
                throw line.wrong("a script wants a name");
            }
            if (!names.add(name)) {
                throw line.wrong("there is a script of this name already");
            }
        } else if (line.isAtEnd()) {
            send(line);
        } else if (name == null) {
            throw line.wrong("before the first script, which begins with ==");
        } else if (line.takes("--")) {
            wait(line);
        } else if (line.takes("login")) {
            if (!steps.isEmpty() || collected.size() > 0) {
                throw line.wrong("login belongs to the beginning of a script");
            }
            login.put(line.word("a parameter"), new String(line.bytes("a value"), StandardCharsets.UTF_8));
            line.end();
        } else if (line.takes("since")) {
            since = line.number("a version");
            line.end();
        } else if (line.takes("cancel")) {
            if (collected.size() > 0) {
                throw line.wrong("send first what is collected");
            }
            steps.add(new Step.Cancel());
            line.end();
        } else if (line.takes("meanwhile")) {
            steps.add(new Step.Meanwhile(ofOthers(line)));
        } else if (line.takes("stranger")) {
            steps.add(new Step.Stranger(ofOthers(line)));
        } else {
            collected.writeBytes(message(line));
            line.end();
        }
        comment.setLength(0);
    }

    private String ofOthers(PgsLine line) {
        if (collected.size() > 0) {
            throw line.wrong("send first what is collected");
        }
        String sql = new String(line.bytes("a text"), StandardCharsets.UTF_8);
        line.end();
        return sql;
    }

    private void finish(PgsLine line) {
        if (name == null) {
            return;
        }
        send(line);
        if (steps.isEmpty()) {
            throw line.wrong("script \"" + name + "\" says nothing");
        }
        scripts.add(new PgsScript(name, place, reason, since, login, List.copyOf(steps)));
        name = null;
        since = 0;
        login = new LinkedHashMap<>();
        steps = new ArrayList<>();
    }

    private void write() {
        if (collected.size() > 0) {
            steps.add(new Step.Send(collected.toByteArray()));
            collected.reset();
        }
        owed = 0;
    }

    private void send(PgsLine line) {
        if (collected.size() == 0) {
            return;
        }
        int answers = owed;
        if (answers == 0) {
            throw line.wrong("no message before this owes a ReadyForQuery; say with -- what to wait for");
        }
        write();
        steps.add(new Step.Ready(answers));
    }

    private void wait(PgsLine line) {
        if (line.isAtEnd()) {
            send(line);
            return;
        }
        write();
        String what = line.word("what to wait for");
        switch (what) {
            case "ready" -> steps.add(new Step.Ready(line.isAtEnd() ? 1 : line.number("a count")));
            case "until" -> {
                String type = line.word("a type of message");
                if (type.length() != 1) {
                    throw line.wrong("a type of message is one letter");
                }
                steps.add(new Step.Until(type.charAt(0)));
            }
            case "end" -> steps.add(new Step.End());
            case "nothing" -> {
                // the next write follows at once
            }
            default -> throw line.wrong("one waits for ready, until, end or nothing");
        }
        line.end();
    }

    private byte[] message(PgsLine line) {
        if (line.isNext("0x")) {
            return line.bytes("bytes");
        }
        String type = line.word("a message");
        return switch (type) {
            case "Query" -> {
                owed++;
                yield Frames.frame('Q', new Body().string(line.bytes("a text")).bytes());
            }
            case "Parse" -> parse(line);
            case "Bind" -> {
                var body = new Body().string(line.name("a portal")).string(line.name("a statement"));
                yield Frames.frame('B', values(line, body, false).bytes());
            }
            case "Describe" -> Frames.frame('D', named(line));
            case "Close" -> Frames.frame('C', named(line));
            case "Execute" ->
                Frames.frame(
                        'E',
                        new Body()
                                .string(line.name("a portal"))
                                .int4(line.number("a number of rows"))
                                .bytes());
            case "FunctionCall" -> {
                owed++;
                yield Frames.frame(
                        'F',
                        values(line, new Body().int4(line.number("a function")), true)
                                .bytes());
            }
            case "Sync" -> {
                owed++;
                yield Frames.sync();
            }
            case "Flush" -> Frames.flush();
            case "CopyData" -> Frames.copyData(line.bytes("data"));
            case "CopyDone" -> Frames.copyDone();
            case "CopyFail" ->
                Frames.frame('f', new Body().string(line.bytes("a text")).bytes());
            case "Terminate" -> Frames.terminate();
            case "Frame" -> {
                String letter = line.word("a type");
                if (letter.length() != 1) {
                    throw line.wrong("a type of message is one letter");
                }
                yield Frames.frame(letter.charAt(0), line.isAtEnd() ? new byte[0] : line.bytes("a body"));
            }
            default -> throw line.wrong(type + " is no message");
        };
    }

    private static byte[] parse(PgsLine line) {
        var body = new Body().string(line.name("a statement")).string(line.bytes("a text"));
        List<Integer> types = new ArrayList<>();
        while (!line.isAtEnd()) {
            types.add(line.number("a type"));
        }
        body.int2(types.size());
        types.forEach(body::int4);
        return Frames.frame('P', body.bytes());
    }

    private static byte[] named(PgsLine line) {
        String kind = line.word("S or P");
        if (!kind.equals("S") && !kind.equals("P")) {
            throw line.wrong("S for a statement or P for a portal");
        }
        return new Body()
                .int1(kind.charAt(0))
                .string(line.name(kind.equals("S") ? "a statement" : "a portal"))
                .bytes();
    }

    /** Values of Bind and FunctionCall with the formats that stand behind them. */
    private static Body values(PgsLine line, Body body, boolean isCall) {
        List<byte @Nullable []> values = line.isAtEnd() ? List.of() : line.list("a list");
        List<Integer> in = line.takes("in") ? line.numbers("a format") : List.of();
        List<Integer> out = line.takes("out") ? line.numbers("a format") : List.of();
        body.int2(in.size());
        in.forEach(body::int2);
        body.int2(values.size());
        values.forEach(body::value);
        if (isCall) {
            return body.int2(out.isEmpty() ? 0 : out.getFirst()); // one result, one format
        }
        body.int2(out.size());
        out.forEach(body::int2);
        return body;
    }

    /** The body of one message. */
    private static final class Body {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Body int1(int value) {
            out.write(value);
            return this;
        }

        Body int2(int value) {
            return int1(value >> 8).int1(value);
        }

        Body int4(int value) {
            return int2(value >> 16).int2(value);
        }

        Body string(byte[] text) {
            out.writeBytes(text);
            return int1(0);
        }

        Body value(byte @Nullable [] value) {
            int4(value == null ? -1 : value.length);
            out.writeBytes(value == null ? new byte[0] : value);
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
