package io.plenum.pooler.link;

import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import java.util.ArrayList;
import java.util.List;

/**
 * By which settings the texts of a client are parsed: a statement is shared by those alone who would have parsed it alike, and of what was
 * parsed by settings that nobody knows nobody else makes use. Confined to the event loop of its link.
 */
final class ParsingSettings {
    /** So many are remembered that were parsed since ReadyForQuery. */
    private static final int MOST_PARSED = 1024;

    private final LinkedClient client;
    private final StatementCache cache;

    /** What is not answered, or not settled in this link, changes settings that texts are parsed by. */
    private boolean doubted;

    private boolean unsettled;

    /** What the server was sent to parse since it last told of settings, which it does before ReadyForQuery. */
    private final List<PreparedStatement> parsed = new ArrayList<>();

    ParsingSettings(LinkedClient client, StatementCache cache) {
        this.client = client;
        this.cache = cache;
    }

    /** A link begins. */
    void begin() {
        unsettled = false;
        parsed.clear();
    }

    /** Nothing is in flight. */
    void settle() {
        doubted = unsettled;
    }

    /**
     * A statement is about to be sent that changes settings which texts are parsed by; {@code unsettled} says that to what is
     * known only when the transaction is over.
     */
    void onChange(boolean unsettled) {
        doubted = true;
        this.unsettled |= unsettled;
    }

    /** The one of this text that is shared by all who have the client's settings, if those are known. */
    PreparedStatement statement(byte[] tail, Reason reason, int traits, long catalog) {
        return doubted
                ? cache.unshared(tail, reason, traits, catalog)
                : cache.intern(
                        tail,
                        client.database(),
                        client.searchPath(),
                        client.settings().parsing(),
                        reason,
                        traits,
                        catalog);
    }

    /** Whether the client's settings are those of all who share the statement. */
    private boolean isAlike(PreparedStatement statement) {
        return !doubted && client.settings().parsing().equals(statement.parsedBy());
    }

    /** Whether the statement is still what its text would be now. */
    boolean isAsBefore(PreparedStatement statement) {
        return isAlike(statement) || (doubted && statement.parsedBy() == null);
    }

    /**
     * The client uses the statement. Where its settings are not those of all who share it, that is still what the client had parsed;
     * but PostgreSQL may parse it anew by these settings at any time, and then it is no good for the others.
     */
    void noteUse(ServerConnection linked, PreparedStatement statement) {
        if (statement.parsedBy() != null && !isAlike(statement)) {
            linked.statements().distrust(statement, client.id());
        }
    }

    /** The server is sent the statement to parse. */
    void onParseSent(ServerConnection linked, PreparedStatement statement) {
        if (parsed.size() < MOST_PARSED) {
            parsed.add(statement);
        } else {
            linked.statements().distrust(statement, client.id());
        }
    }

    /**
     * The server has told of another value: of what it was sent to parse since it last told, nobody knows by which. A SET LOCAL may
     * have stood in front, or a function.
     */
    void onTold(ServerConnection linked) {
        parsed.forEach(statement -> linked.statements().distrust(statement, client.id()));
    }

    /** The server is ready, and has told of all settings that changed before. */
    void onReady(ServerConnection linked) {
        if (!parsed.isEmpty()) {
            parsed.removeIf(statement -> linked.statements().inFlight(statement) == 0);
        }
    }
}
