package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a statement was, as its CommandComplete says: the tags that change a session, a transaction or data.
 *
 * <p>Names are those of PostgreSQL's cmdtaglist.h. A tag is judged by the server after it ran the statement, so it is
 * never fooled by comments, quoting or a function's name, as the statement's text may be.
 */
public enum CommandTag {
    BEGIN("BEGIN"),
    START_TRANSACTION("START TRANSACTION"),
    COMMIT("COMMIT"),
    ROLLBACK("ROLLBACK"),
    SAVEPOINT("SAVEPOINT"),
    RELEASE("RELEASE"),
    PREPARE_TRANSACTION("PREPARE TRANSACTION"),
    COMMIT_PREPARED("COMMIT PREPARED"),
    ROLLBACK_PREPARED("ROLLBACK PREPARED"),
    SELECT("SELECT"),
    INSERT("INSERT"),
    UPDATE("UPDATE"),
    DELETE("DELETE"),
    MERGE("MERGE"),
    COPY("COPY"),
    FETCH("FETCH"),
    MOVE("MOVE"),
    SHOW("SHOW"),
    EXPLAIN("EXPLAIN"),
    CALL("CALL"),
    DO("DO"),
    LOAD("LOAD"),
    LOCK_TABLE("LOCK TABLE"),
    SET("SET"),
    SET_CONSTRAINTS("SET CONSTRAINTS"),
    RESET("RESET"),
    PREPARE("PREPARE"),
    DEALLOCATE("DEALLOCATE"),
    DEALLOCATE_ALL("DEALLOCATE ALL"),
    DECLARE_CURSOR("DECLARE CURSOR"),
    CLOSE_CURSOR("CLOSE CURSOR"),
    CLOSE_CURSOR_ALL("CLOSE CURSOR ALL"),
    DISCARD("DISCARD"),
    DISCARD_ALL("DISCARD ALL"),
    DISCARD_PLANS("DISCARD PLANS"),
    DISCARD_SEQUENCES("DISCARD SEQUENCES"),
    DISCARD_TEMP("DISCARD TEMP"),
    LISTEN("LISTEN"),
    UNLISTEN("UNLISTEN"),
    NOTIFY("NOTIFY");

    /** By first letter, so that a look-up compares with a handful of names; no name begins beyond Z. */
    private static final CommandTag[][] BY_LETTER = new CommandTag['Z' + 1][];

    static {
        for (int letter = 0; letter < BY_LETTER.length; letter++) {
            List<CommandTag> tags = new ArrayList<>();
            for (CommandTag tag : values()) {
                if (tag.name[0] == letter) {
                    tags.add(tag);
                }
            }
            BY_LETTER[letter] = tags.toArray(new CommandTag[0]);
        }
    }

    private static final byte[][] SCHEMA_CHANGES = {
        ascii("CREATE "), ascii("ALTER "), ascii("DROP "), ascii("REFRESH "), ascii("GRANT"), ascii("REVOKE")
    };

    @SuppressWarnings("ImmutableEnumChecker") // written once and never handed out
    private final byte[] name;

    CommandTag(String name) {
        this.name = ascii(name);
    }

    /**
     * The tag in the body of a CommandComplete, read in place without allocating; null for one that this catalogue does
     * not hold. The counts behind {@code SELECT}, {@code INSERT} and their like are left aside.
     */
    public static @Nullable CommandTag of(ByteBuf bytes, int bodyStart, int bodyEnd) {
        if (bodyStart >= bodyEnd) {
            return null;
        }
        byte letter = bytes.getByte(bodyStart);
        if (letter < 0 || letter >= BY_LETTER.length) {
            return null;
        }
        for (CommandTag tag : BY_LETTER[letter]) {
            if (startsWith(bytes, bodyStart, bodyEnd, tag.name)
                    && endsAt(bytes, bodyStart + tag.name.length, bodyEnd)) {
                return tag;
            }
        }
        return null;
    }

    /**
     * Whether the statement changed the catalogue, so that cached plans and what is known of functions may be stale. Of
     * {@code SELECT INTO} and {@code CREATE TABLE AS} the tag does not tell.
     */
    public static boolean isSchemaChange(ByteBuf bytes, int bodyStart, int bodyEnd) {
        for (byte[] start : SCHEMA_CHANGES) {
            if (startsWith(bytes, bodyStart, bodyEnd, start)) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWith(ByteBuf bytes, int start, int end, byte[] name) {
        if (end - start < name.length) {
            return false;
        }
        for (int i = 0; i < name.length; i++) {
            if (bytes.getByte(start + i) != name[i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether a name ends here: at the NUL, or before a count. */
    private static boolean endsAt(ByteBuf bytes, int index, int end) {
        if (index >= end) {
            return false;
        }
        byte next = bytes.getByte(index);
        if (next == 0) {
            return true;
        }
        if (next != ' ' || index + 1 >= end) {
            return false;
        }
        byte digit = bytes.getByte(index + 1);
        return digit >= '0' && digit <= '9';
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
