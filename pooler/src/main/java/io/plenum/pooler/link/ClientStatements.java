package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.PreparedStatement;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One client's prepared statements by the names that the client gave them; looked up by the name's bytes in place.
 *
 * <p>Open addressing with linear probing. A name enters when its Parse is sent and leaves when that Parse fails, at
 * Close, or when the session forgets all. Confined to the client's event loop.
 */
public final class ClientStatements {
    private static final int FIRST_CAPACITY = 8;

    private byte[] @Nullable [] names = new byte[0][];
    private @Nullable PreparedStatement[] statements = new PreparedStatement[0];
    private int size;

    /** The statement of this name; null when the client has none such. */
    public @Nullable PreparedStatement get(ByteBuf bytes, int start, int end) {
        if (size == 0) {
            return null;
        }
        int mask = names.length - 1;
        int at = hash(bytes, start, end) & mask;
        while (true) {
            byte[] name = names[at];
            if (name == null) {
                return null;
            }
            if (isName(name, bytes, start, end)) {
                PreparedStatement statement = statements[at];
                if (statement != null && statement.isOutdated()) {
                    statement = statement.current();
                    statements[at] = statement;
                }
                return statement;
            }
            at = (at + 1) & mask;
        }
    }

    /** A name of the statement, whichever stands first; null when the client has none. */
    public byte @Nullable [] nameOf(PreparedStatement statement) {
        for (int i = 0; i < statements.length; i++) {
            if (statements[i] == statement) {
                return names[i];
            }
        }
        return null;
    }

    public void put(byte[] name, PreparedStatement statement) {
        if ((size + 1) * 2 > names.length) {
            grow();
        }
        int mask = names.length - 1;
        int at = hash(name) & mask;
        while (true) {
            byte[] taken = names[at];
            if (taken == null) {
                names[at] = name;
                statements[at] = statement;
                size++;
                return;
            }
            if (Arrays.equals(taken, name)) {
                statements[at] = statement;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /** Forgets a name; nothing happens when it is unknown. */
    public void remove(byte[] name) {
        if (size == 0) {
            return;
        }
        int mask = names.length - 1;
        int at = hash(name) & mask;
        while (true) {
            byte[] taken = names[at];
            if (taken == null) {
                return;
            }
            if (Arrays.equals(taken, name)) {
                closeGap(at, mask);
                size--;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    private void closeGap(int gap, int mask) {
        int at = gap;
        while (true) {
            at = (at + 1) & mask;
            byte[] name = names[at];
            if (name == null) {
                break;
            }
            int home = hash(name) & mask;
            if (((at - home) & mask) >= ((at - gap) & mask)) { // its way from home leads over the gap
                names[gap] = name;
                statements[gap] = statements[at];
                gap = at;
            }
        }
        names[gap] = null;
        statements[gap] = null;
    }

    public void clear() {
        names = new byte[0][];
        statements = new PreparedStatement[0];
        size = 0;
    }

    public int size() {
        return size;
    }

    private void grow() {
        byte[] @Nullable [] oldNames = names;
        @Nullable PreparedStatement[] oldStatements = statements;
        int capacity = Math.max(FIRST_CAPACITY, oldNames.length * 2);
        names = new byte[capacity][];
        statements = new PreparedStatement[capacity];
        size = 0;
        for (int i = 0; i < oldNames.length; i++) {
            byte[] name = oldNames[i];
            PreparedStatement statement = oldStatements[i];
            if (name != null && statement != null) {
                put(name, statement);
            }
        }
    }

    private static boolean isName(byte[] name, ByteBuf bytes, int start, int end) {
        if (name.length != end - start) {
            return false;
        }
        for (int i = 0; i < name.length; i++) {
            if (name[i] != bytes.getByte(start + i)) {
                return false;
            }
        }
        return true;
    }

    private static int hash(ByteBuf bytes, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + bytes.getByte(i);
        }
        return spread(hash);
    }

    private static int hash(byte[] name) {
        int hash = 0;
        for (byte b : name) {
            hash = 31 * hash + b;
        }
        return spread(hash);
    }

    private static int spread(int hash) {
        return hash ^ (hash >>> 15);
    }
}
