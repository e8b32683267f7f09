package io.plenum.wire.auth;

import io.plenum.wire.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads the attributes of a SCRAM message, {@code name=value} with commas between, from left to right.
 *
 * <p>RFC 5802, section 7; refusals in the words of PostgreSQL's auth-scram.c.
 */
final class ScramText {
    private static final char END = '\0';

    private final String text;
    private int position;

    private ScramText(String text) {
        this.text = text;
    }

    /** The message as text; one that is empty, too long, no UTF-8 or holds a NUL is refused. */
    static ScramText of(byte[] message, int maxBytes) {
        if (message.length == 0) {
            throw malformed("The message is empty.");
        }
        if (message.length > maxBytes) {
            throw malformed("The message has %d bytes; %d are allowed.".formatted(message.length, maxBytes));
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(message))
                    .toString();
            if (text.indexOf(END) >= 0) {
                throw malformed("Message length does not match input length.");
            }
            return new ScramText(text);
        } catch (CharacterCodingException e) {
            throw malformed("The message is not UTF-8.");
        }
    }

    static ProtocolException malformed(String why) {
        return new ProtocolException("malformed SCRAM message: " + why);
    }

    /** Whether all characters are printable ASCII other than the comma, as those of a nonce must be. */
    static boolean isPrintable(String value) {
        return value.chars().allMatch(c -> c > 0x20 && c < 0x7f && c != ',');
    }

    boolean isAtEnd() {
        return position == text.length();
    }

    /** The next character, or NUL at the end. */
    char peek() {
        return isAtEnd() ? END : text.charAt(position);
    }

    /** Takes the next character; NUL at the end. */
    char next() {
        char c = peek();
        if (c != END) {
            position++;
        }
        return c;
    }

    void expect(char wanted) {
        if (next() != wanted) {
            throw malformed("Character \"%c\" expected.".formatted(wanted));
        }
    }

    /** The value of the attribute that stands here and must have this name. */
    String attribute(char name) {
        if (peek() != name) {
            throw malformed("Expected attribute \"%c\".".formatted(name));
        }
        return anyAttribute();
    }

    /** The value of the attribute that stands here, up to the next comma. */
    String anyAttribute() {
        char name = next();
        if ((name < 'a' || name > 'z') && (name < 'A' || name > 'Z')) {
            throw malformed("Attribute expected.");
        }
        expect('=');
        int comma = text.indexOf(',', position);
        int start = position;
        position = comma < 0 ? text.length() : comma;
        return text.substring(start, position);
    }

    /** The value of the attribute behind the comma that stands here. */
    String nextAttribute(char name) {
        expect(',');
        return attribute(name);
    }

    /** Passes over all further attributes. */
    void skipExtensions() {
        while (!isAtEnd()) {
            expect(',');
            anyAttribute();
        }
    }

    /** What has been read so far. */
    String consumed() {
        return text.substring(0, position);
    }

    /** What has not been read yet. */
    String rest() {
        return text.substring(position);
    }
}
