package io.plenum.pooler.server;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The prepared statements that one server holds, least recently used first.
 *
 * <p>A statement enters when its Parse is sent and leaves when its Parse fails, when a Close is sent, or when the
 * server forgets all (DISCARD ALL, DEALLOCATE ALL). Confined to the server's event loop.
 */
public final class ServerStatements {
    /** Access order makes the eldest the least recently used. */
    private final LinkedHashMap<PreparedStatement, Use> held = new LinkedHashMap<>(16, 0.75f, true);

    private static final class Use {
        private long link;
    }

    private @Nullable PreparedStatement last;

    /** Whether the server holds the statement; marks it as used by the {@code link}-th link of this server. */
    public boolean use(PreparedStatement statement, long link) {
        if (statement == last) {
            return true; // most clients run one statement again and again
        }
        Use use = held.get(statement);
        if (use == null) {
            return false;
        }
        use.link = link;
        last = statement;
        return true;
    }

    public void add(PreparedStatement statement, long link) {
        var use = new Use();
        use.link = link;
        held.put(statement, use);
        last = statement;
    }

    public void remove(PreparedStatement statement) {
        held.remove(statement);
        last = null;
    }

    /** Called when a link begins: what was used last must be marked again. */
    public void beginLink() {
        last = null;
    }

    /**
     * The statement to close so that at most {@code limit} stay; null when there is none.
     *
     * <p>One that the current link has used is kept: messages that name it may still be on their way.
     */
    public @Nullable PreparedStatement eldestAbove(int limit, long link) {
        if (held.size() <= limit) {
            return null;
        }
        Map.Entry<PreparedStatement, Use> eldest = held.firstEntry();
        return eldest.getValue().link == link ? null : eldest.getKey();
    }

    public void clear() {
        held.clear();
        last = null;
    }

    public int size() {
        return held.size();
    }
}
