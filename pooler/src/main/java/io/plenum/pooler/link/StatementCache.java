package io.plenum.pooler.link;

import io.plenum.pooler.server.PreparedStatement;
import io.plenum.routing.Reason;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gives equal texts one statement, so that a statement prepared for one client serves all.
 *
 * <p>Asked once per named Parse, never per Bind, so a lock does no harm. What is pushed out stays usable by the clients
 * that hold it; only later clients get a new one. Any thread.
 */
public final class StatementCache {
    private final long limitBytes;
    private final LinkedHashMap<Text, PreparedStatement> known = new LinkedHashMap<>(64, 0.75f, true);
    private long bytes;
    private long issued;

    private record Text(byte[] tail) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Text(byte[] theirs) && Arrays.equals(tail, theirs);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(tail);
        }
    }

    /** {@code limitBytes} bounds the texts that are kept. */
    public StatementCache(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** The statement whose Parse has these bytes behind its name: text, NUL and parameter types. */
    public synchronized PreparedStatement intern(byte[] tail, Reason reason, int traits) {
        var text = new Text(tail);
        PreparedStatement statement = known.get(text);
        if (statement == null || statement.isOutdated()) {
            statement = statement == null ? create(tail, reason, traits) : statement.current();
            if (known.put(text, statement) == null) {
                bytes += tail.length;
            }
            var eldest = known.entrySet().iterator();
            while (bytes > limitBytes && known.size() > 1) {
                Map.Entry<Text, PreparedStatement> out = eldest.next();
                bytes -= out.getKey().tail().length;
                eldest.remove();
            }
        }
        return statement;
    }

    /**
     * Gives the statement a new name, for a change of tables made its plans on all servers useless.
     *
     * <p>PostgreSQL never replaces a plan whose result type changed: it fails until the statement is parsed anew.
     */
    public synchronized void outdate(PreparedStatement statement) {
        if (!statement.isOutdated()) {
            statement.replaceBy(create(statement.tail(), statement.reason(), statement.traits()));
        }
    }

    private PreparedStatement create(byte[] tail, Reason reason, int traits) {
        issued++;
        return new PreparedStatement(issued, tail, reason, traits);
    }

    public synchronized int size() {
        return known.size();
    }
}
