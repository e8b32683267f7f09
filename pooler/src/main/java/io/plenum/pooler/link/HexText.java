package io.plenum.pooler.link;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Text that travels as the hex of its UTF-8, for a session that may be in another encoding: PostgreSQL converts what it takes for text. */
final class HexText {
    private HexText() {}

    /** Whether the text is the same bytes in every encoding that a session may have. */
    static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    static byte[] of(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8)).getBytes(StandardCharsets.US_ASCII);
    }

    static String read(String hex) {
        return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8);
    }
}
