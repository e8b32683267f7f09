package io.plenum.pooler.link;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One line of a script file, read from left to right; what is wrong with it is told with its place. */
final class PgsLine {
    private static final int LARGEST = 64 << 20;

    private final String place;
    private final String text;
    private int at;

    PgsLine(String place, String text) {
        this.place = place;
        this.text = text;
    }

    IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException(place + ": " + what + ": " + text.strip());
    }

    /** The rest of the line, without the blanks around it. */
    String rest() {
        String rest = text.substring(at).strip();
        at = text.length();
        return rest;
    }

    boolean isAtEnd() {
        blanks();
        return at == text.length();
    }

    void end() {
        if (!isAtEnd()) {
            throw wrong("nothing is expected at \"" + text.substring(at) + "\"");
        }
    }

    /** Whether this comes next. */
    boolean isNext(String next) {
        blanks();
        return text.startsWith(next, at);
    }

    /** Takes this word or sign if it comes next. */
    boolean takes(String next) {
        if (!isNext(next)) {
            return false;
        }
        int behind = at + next.length();
        if (Character.isLetter(next.charAt(next.length() - 1))
                && !next.equals("0x")
                && behind < text.length()
                && Character.isLetterOrDigit(text.charAt(behind))) {
            return false;
        }
        at = behind;
        return true;
    }

    /** Letters, digits and what else stands for itself. */
    String word(String what) {
        blanks();
        int begin = at;
        while (at < text.length() && " \t[],()\"+*{}".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        if (begin == at) {
            throw wrong(what + " is missing");
        }
        return text.substring(begin, at);
    }

    int number(String what) {
        String word = word(what);
        try {
            return (int) Math.clamp(Long.parseLong(word), Integer.MIN_VALUE, 0xffff_ffffL); // an oid has 32 bits
        } catch (NumberFormatException _) {
            throw wrong(what + " is no number");
        }
    }

    /** A name: a word, or a text in quotes. */
    byte[] name(String what) {
        return isNext("\"") ? bytes(what) : word(what).getBytes(StandardCharsets.UTF_8);
    }

    /** {@code "text"}, {@code 0x00ff}, {@code each(3, ", ", "c#")}, any of them {@code *times}, and sums of these. */
    byte[] bytes(String what) {
        var all = new ByteArrayOutputStream();
        do {
            byte[] term = term(what);
            int times = takes("*") ? number("a number of times") : 1;
            if (times < 0 || (long) term.length * times + all.size() > LARGEST) {
                throw wrong("so much is not sent");
            }
            for (int i = 0; i < times; i++) {
                all.writeBytes(term);
            }
        } while (takes("+"));
        return all.toByteArray();
    }

    /** {@code [a, "b", 0x00, null]}, all of it {@code *times}. */
    List<byte @Nullable []> list(String what) {
        expect("[", what);
        List<byte @Nullable []> values = new ArrayList<>();
        while (!takes("]")) {
            if (!values.isEmpty()) {
                expect(",", "a comma or ]");
            }
            if (takes("null")) {
                values.add(null);
            } else if (isNext("\"") || isNext("0x") || isNext("each(")) {
                values.add(bytes("a value"));
            } else {
                values.add(word("a value").getBytes(StandardCharsets.UTF_8));
            }
        }
        if (!takes("*")) {
            return values;
        }
        List<byte @Nullable []> all = new ArrayList<>();
        for (int left = number("a number of times"); left > 0; left--) {
            all.addAll(values);
        }
        return all;
    }

    /** Numbers with commas between them. */
    List<Integer> numbers(String what) {
        List<Integer> numbers = new ArrayList<>();
        do {
            numbers.add(number(what));
        } while (takes(","));
        return numbers;
    }

    private byte[] term(String what) {
        if (takes("0x")) {
            String digits = isAtEnd() ? "" : word(what);
            try {
                return HexFormat.of().parseHex(digits);
            } catch (IllegalArgumentException _) {
                throw wrong("bytes are an even number of hexadecimal digits");
            }
        }
        if (takes("each(")) {
            int count = number("a count");
            expect(",", "a comma");
            byte[] between = bytes("what stands between two");
            expect(",", "a comma");
            String each = new String(bytes("what is repeated"), StandardCharsets.UTF_8);
            expect(")", "a )");
            var all = new ByteArrayOutputStream();
            for (int i = 1; i <= count; i++) {
                all.writeBytes(i == 1 ? new byte[0] : between);
                all.writeBytes(each.replace("#", Integer.toString(i)).getBytes(StandardCharsets.UTF_8));
            }
            return all.toByteArray();
        }
        return quoted(what);
    }

    private byte[] quoted(String what) {
        expect("\"", what);
        var all = new ByteArrayOutputStream();
        while (true) {
            if (at == text.length()) {
                throw wrong("the text has no end");
            }
            int character = text.codePointAt(at);
            at += Character.charCount(character);
            if (character == '"') {
                return all.toByteArray();
            }
            if (character == '\\') {
                all.write(escaped());
            } else {
                all.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private int escaped() {
        char character = at < text.length() ? text.charAt(at++) : 'x';
        return switch (character) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case '0' -> 0;
            case '"', '\\' -> character;
            case 'x' -> {
                if (at + 2 > text.length()) {
                    throw wrong("\\x wants two digits");
                }
                at += 2;
                try {
                    yield HexFormat.fromHexDigits(text, at - 2, at);
                } catch (NumberFormatException _) {
                    throw wrong("\\x wants two digits");
                }
            }
            default -> throw wrong("\\" + character + " is not known; there are \\n \\r \\t \\0 \\\" \\\\ and \\x..");
        };
    }

    private void expect(String next, String what) {
        if (!takes(next)) {
            throw wrong(what + " is missing");
        }
    }

    private void blanks() {
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
    }
}
