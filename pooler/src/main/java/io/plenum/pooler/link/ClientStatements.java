package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One client's prepared statements by the names that the client gave them; looked up by the name's bytes in place.
 *
 * <p>Open addressing with linear probing. A name enters when its Parse is sent and leaves when that Parse fails, at
 * Close, or when the session forgets all. Confined to the client's event loop.
 */
public final class ClientStatements {
    /** Names are as long as PostgreSQL takes them (NAMEDATALEN - 1): it cuts those of statements between any two bytes. */
    public static final int NAME_BYTES = 63;

    /** What a client may have prepared by name, in bytes of texts and of what is kept beside each: PostgreSQL itself has no such bound. */
    public static final int MOST_BYTES = 64 * 1024 * 1024;

    /** Kept beside a text: objects, their place in tables. */
    private static final int BESIDE = 256;

    private static final int FIRST_CAPACITY = 8;

    private @Nullable NamedStatement[] entries = new NamedStatement[0];
    private int size;
    private long bytes;

    /** The statement of this name, as servers are to hear of it now; null when the client has none such. */
    public @Nullable NamedStatement get(ByteBuf bytes, int start, int end) {
        if (size == 0) {
            return null;
        }
        int mask = entries.length - 1;
        int at = hash(bytes, start, end) & mask;
        while (true) {
            NamedStatement entry = entries[at];
            if (entry == null) {
                return null;
            }
            if (isName(entry.name(), bytes, start, end)) {
                if (entry.statement().isOutdated()) {
                    entry = new NamedStatement(entry.name(), entry.statement().current());
                    entries[at] = entry;
                }
                return entry;
            }
            at = (at + 1) & mask;
        }
    }

    void put(NamedStatement named) {
        if ((size + 1) * 2 > entries.length) {
            grow();
        }
        int mask = entries.length - 1;
        int at = hash(named.name()) & mask;
        while (true) {
            NamedStatement taken = entries[at];
            if (taken == null) {
                entries[at] = named;
                size++;
                bytes += bytesOf(named);
                return;
            }
            if (isName(taken.name(), named.name())) {
                entries[at] = named;
                bytes += bytesOf(named) - bytesOf(taken);
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
        int mask = entries.length - 1;
        int at = hash(name) & mask;
        while (true) {
            NamedStatement taken = entries[at];
            if (taken == null) {
                return;
            }
            if (isName(taken.name(), name)) {
                closeGap(at, mask);
                size--;
                bytes -= bytesOf(taken);
                return;
            }
            at = (at + 1) & mask;
        }
    }

    private void closeGap(int gap, int mask) {
        int at = gap;
        while (true) {
            at = (at + 1) & mask;
            NamedStatement entry = entries[at];
            if (entry == null) {
                break;
            }
            int home = hash(entry.name()) & mask;
            if (((at - home) & mask) >= ((at - gap) & mask)) { // its way from home leads over the gap
                entries[gap] = entry;
                gap = at;
            }
        }
        entries[gap] = null;
    }

    void clear() {
        entries = new NamedStatement[0];
        size = 0;
        bytes = 0;
    }

    public int size() {
        return size;
    }

    /** Whether one more of this text would be more than {@link #MOST_BYTES}. */
    boolean isFullFor(int textBytes) {
        return bytes + textBytes + BESIDE > MOST_BYTES;
    }

    private static long bytesOf(NamedStatement named) {
        return (long) named.statement().tail().length + BESIDE;
    }

    private void grow() {
        @Nullable NamedStatement[] old = entries;
        entries = new NamedStatement[Math.max(FIRST_CAPACITY, old.length * 2)];
        size = 0;
        bytes = 0;
        for (NamedStatement entry : old) {
            if (entry != null) {
                put(entry);
            }
        }
    }

    private static boolean isName(byte[] name, byte[] other) {
        return Arrays.equals(name, 0, Math.min(name.length, NAME_BYTES), other, 0, Math.min(other.length, NAME_BYTES));
    }

    private static boolean isName(byte[] name, ByteBuf bytes, int start, int end) {
        int length = Math.min(name.length, NAME_BYTES);
        if (length != Math.min(end - start, NAME_BYTES)) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (name[i] != bytes.getByte(start + i)) {
                return false;
            }
        }
        return true;
    }

    private static int hash(ByteBuf bytes, int start, int end) {
        int hash = 0;
        for (int i = start; i < Math.min(end, start + NAME_BYTES); i++) {
            hash = 31 * hash + bytes.getByte(i);
        }
        return spread(hash);
    }

    private static int hash(byte[] name) {
        int hash = 0;
        for (int i = 0; i < Math.min(name.length, NAME_BYTES); i++) {
            hash = 31 * hash + name[i];
        }
        return spread(hash);
    }

    private static int spread(int hash) {
        return hash ^ (hash >>> 15);
    }
}
