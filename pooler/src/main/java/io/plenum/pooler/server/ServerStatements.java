package io.plenum.pooler.server;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The prepared statements that one server holds, least recently used first.
 *
 * <p>A statement enters when its Parse is sent, is certain when that is answered, and leaves when its Parse fails, when a Close
 * is sent, or when the server forgets all (DISCARD ALL, DEALLOCATE ALL). Confined to the server's event loop.
 */
public final class ServerStatements {
    /** Whether a server has a statement. */
    public enum Holding {
        /** It has it, or will when it comes to the next message of this group. */
        HELD,
        /** Its Parse stands in an earlier group of the pipeline, which may fail before it. */
        DOUBTFUL,
        MISSING
    }

    private static final long ANY_GROUP = -1;

    /** Access order makes the eldest the least recently used. */
    private final LinkedHashMap<PreparedStatement, Use> held = new LinkedHashMap<>(16, 0.75f, true);

    private static final class Use {
        private long link;
        private long group;
        private boolean certain;
    }

    /** One that is certain, and marked as used by the current link. */
    private @Nullable PreparedStatement last;

    /**
     * Whether the server has the statement for a message of its {@code group}-th group; marks it as used by the {@code link}-th
     * link of this server.
     */
    public Holding use(PreparedStatement statement, long link, long group) {
        if (statement == last) {
            return Holding.HELD; // most clients run one statement again and again
        }
        Use use = held.get(statement);
        if (use == null) {
            return Holding.MISSING;
        }
        use.link = link;
        if (use.certain) {
            last = statement;
            return Holding.HELD;
        }
        return use.group == group || use.group == ANY_GROUP ? Holding.HELD : Holding.DOUBTFUL;
    }

    /** The client's own Parse of it is sent: where that fails, what the client sends behind it is to fail too. */
    public void addByClient(PreparedStatement statement, long link) {
        add(statement, link, ANY_GROUP);
    }

    /** Our Parse of it is sent, in the server's {@code group}-th group. */
    public void add(PreparedStatement statement, long link, long group) {
        var use = new Use();
        use.link = link;
        use.group = group;
        held.put(statement, use);
        if (last == statement) {
            last = null;
        }
    }

    /** Its Parse was answered; false when it is not among those held, for another Parse of it was skipped meanwhile. */
    boolean confirm(PreparedStatement statement) {
        Use use = held.get(statement);
        if (use != null) {
            use.certain = true;
        }
        return use != null;
    }

    /** A Close of it was skipped. */
    public void addAgain(PreparedStatement statement, long link) {
        add(statement, link, ANY_GROUP);
        confirm(statement);
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
