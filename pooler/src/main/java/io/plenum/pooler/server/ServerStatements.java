package io.plenum.pooler.server;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The prepared statements that one server holds: those with a name, least recently used first, and the one without.
 *
 * <p>Of each name it knows two things apart: whether the server held it when it gave its last answer, and which Parse and Close of
 * it are on their way. So nothing has to be taken back when a message is skipped: it only is not on its way any more.
 * Confined to the server's event loop.
 */
public final class ServerStatements {
    /** Whether a server has a statement when it comes to the next message. */
    public enum Holding {
        HELD,
        /**
         * A Parse or Close of it stands in an earlier group of the pipeline, which may fail before that; or it was parsed by
         * other settings than it should be.
         */
        DOUBTFUL,
        MISSING
    }

    /** No client has this number. */
    public static final long ANYBODY = 0;

    /** Access order makes the eldest the least recently used. */
    private final LinkedHashMap<PreparedStatement, Use> uses = new LinkedHashMap<>(16, 0.75f, true);

    private static final class Use {
        /** As far as the server has answered. */
        private boolean held;

        private int inFlight;
        /** The youngest message that is on its way is a Parse. */
        private boolean parses;
        /** The group of that message. */
        private long group;

        private long link;

        /** It was parsed by other settings than those have who share it, by this client's, who goes on to use it. */
        private long onlyFor = ANYBODY;

        /** So many of the messages on their way were sent before that was known. */
        private int beforeDistrust;

        /** Whether the server will hold it if nothing fails. */
        boolean isExpected() {
            return inFlight > 0 ? parses : held;
        }
    }

    /** One that is held for certain, and marked as used by the current link. */
    private @Nullable PreparedStatement last;

    private int expected;

    /** Whose the unnamed statement is, and which of theirs; null where that is not known, or it is no client's. */
    private @Nullable Object unnamedOwner;

    private long unnamedStamp;

    /**
     * Whether the server has the statement for a message of its {@code group}-th group, as this client knows it or {@link #ANYBODY};
     * marks it as used by the {@code link}-th link of this server.
     */
    public Holding use(PreparedStatement statement, long link, long group, long client) {
        if (statement == last) {
            return Holding.HELD; // most clients run one statement again and again
        }
        Use use = uses.get(statement);
        if (use == null) {
            return Holding.MISSING;
        }
        use.link = link;
        if (use.inFlight == 0) {
            last = use.onlyFor == ANYBODY ? statement : null;
            return use.onlyFor == ANYBODY || use.onlyFor == client ? Holding.HELD : Holding.DOUBTFUL;
        }
        if (use.group != group) {
            return Holding.DOUBTFUL;
        }
        return use.parses ? Holding.HELD : Holding.MISSING;
    }

    /** How many Parse and Close of the statement are on their way. */
    public int inFlight(PreparedStatement statement) {
        Use use = uses.get(statement);
        return use == null ? 0 : use.inFlight;
    }

    /** A Parse of it is sent in the server's {@code group}-th group. */
    public void onParseSent(PreparedStatement statement, long link, long group) {
        onSent(statement, true, link, group);
    }

    /** A Close of it is sent in the server's {@code group}-th group. */
    public void onCloseSent(PreparedStatement statement, long link, long group) {
        onSent(statement, false, link, group);
    }

    private void onSent(PreparedStatement statement, boolean parses, long link, long group) {
        Use use = uses.computeIfAbsent(statement, _ -> new Use());
        expected -= use.isExpected() ? 1 : 0;
        use.inFlight++;
        use.parses = parses;
        use.group = group;
        use.link = link;
        settle(statement, use);
    }

    /** The server has parsed or closed it. */
    void onAnswered(PreparedStatement statement, boolean parsed) {
        Use use = uses.get(statement);
        if (use != null) {
            expected -= use.isExpected() ? 1 : 0;
            use.inFlight--;
            use.held = parsed;
            use.onlyFor = parsed || use.beforeDistrust > 0 ? use.onlyFor : ANYBODY;
            use.beforeDistrust -= use.beforeDistrust > 0 ? 1 : 0;
            settle(statement, use);
        }
    }

    /** A Parse or Close of it failed or was skipped. */
    public void onUnanswered(PreparedStatement statement) {
        Use use = uses.get(statement);
        if (use != null) {
            expected -= use.isExpected() ? 1 : 0;
            use.inFlight--;
            use.beforeDistrust -= use.beforeDistrust > 0 ? 1 : 0;
            settle(statement, use);
        }
    }

    /**
     * It was, or will be, parsed by other settings than those have who share it: only the client that has this number is to use it
     * before it is parsed anew.
     */
    public void distrust(PreparedStatement statement, long client) {
        Use use = uses.get(statement);
        if (use != null && use.onlyFor != client) {
            use.onlyFor = client;
            use.beforeDistrust = use.inFlight;
            last = last == statement ? null : last;
        }
    }

    /** The server says that it has no such statement, in answer to the oldest message that is on its way. */
    public void onMissing(PreparedStatement statement) {
        Use use = uses.get(statement);
        if (use != null) {
            expected -= use.isExpected() ? 1 : 0;
            use.held = false;
            settle(statement, use);
        }
    }

    private void settle(PreparedStatement statement, Use use) {
        expected += use.isExpected() ? 1 : 0;
        if (use.inFlight == 0 && !use.held) {
            uses.remove(statement);
        }
        if (last == statement) {
            last = null;
        }
    }

    /** Called when a link begins: what was used last must be marked again. */
    void beginLink() {
        last = null;
    }

    /**
     * The statement to close so that at most {@code limit} stay; null when there is none.
     *
     * <p>One that the current link has used is kept: messages that name it may still be on their way.
     */
    public @Nullable PreparedStatement eldestAbove(int limit, long link) {
        if (expected <= limit) {
            return null;
        }
        for (Map.Entry<PreparedStatement, Use> entry : uses.entrySet()) {
            if (entry.getValue().link == link) {
                return null; // and so are all that were used later
            }
            if (entry.getValue().isExpected()) {
                return entry.getKey();
            }
        }
        return null;
    }

    /** The server has forgotten all that it held; what is on its way is parsed behind that. */
    void forgetHeld() {
        uses.values().removeIf(use -> use.inFlight == 0);
        expected = 0;
        for (Use use : uses.values()) {
            use.held = false;
            expected += use.isExpected() ? 1 : 0;
        }
        last = null;
    }

    /** Whether the server's unnamed statement is the {@code stamp}-th of this client. */
    public boolean holdsUnnamed(Object client, long stamp) {
        return unnamedOwner == client && unnamedStamp == stamp;
    }

    /** The server's unnamed statement is the {@code stamp}-th of this client from now on. */
    public void setUnnamed(Object client, long stamp) {
        unnamedOwner = client;
        unnamedStamp = stamp;
    }

    /** Whose unnamed statement the server holds, if any, is not known or is no client's. */
    public void forgetUnnamed() {
        unnamedOwner = null;
    }

    /** How many the server holds by name, or will. */
    public int size() {
        return expected;
    }
}
