package io.plenum.pooler.link;

import io.plenum.pooler.server.PreparedStatement;
import io.plenum.routing.Reason;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Gives equal texts one statement, so that a statement prepared for one client serves all.
 *
 * <p>Asked once per named Parse, never per Bind, so a lock does no harm. What is pushed out stays usable by the clients
 * that hold it; only later clients get a new one.
 *
 * <p>PostgreSQL never replaces a plan whose result type changed: it fails until the statement is parsed anew. So a Parse
 * behind a change of the schema gets a new statement, as it would on a session of its own, and one under another search_path
 * does, for the text may mean other tables there; so it may in another database. And one under other settings {@linkplain
 * io.plenum.pooler.server.SessionSettings#isParsing that texts are parsed by}, for a literal may be another date. Any thread.
 */
public final class StatementCache {
    private final long limitBytes;
    private final LinkedHashMap<Text, Known> known = new LinkedHashMap<>(64, 0.75f, true);
    private long bytes;
    private long issued;
    private volatile long schema;

    private record Text(byte[] tail, String database, String searchPath, String parsedBy) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Text(byte[] theirs, String where, String path, String by)
                    && Arrays.equals(tail, theirs)
                    && database.equals(where)
                    && searchPath.equals(path)
                    && parsedBy.equals(by);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(tail) + Objects.hash(database, searchPath, parsedBy);
        }

        int bytes() {
            return tail.length + searchPath.length() + parsedBy.length();
        }
    }

    /** A statement, and how many changes of the schema it has seen. */
    private record Known(PreparedStatement statement, long schema) {}

    /** {@code limitBytes} bounds the texts that are kept. */
    public StatementCache(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** The statement whose Parse has these bytes behind its name: text, NUL and parameter types. */
    synchronized PreparedStatement intern(
            byte[] tail, String database, String searchPath, String parsedBy, Reason reason, int traits, long catalog) {
        var text = new Text(tail, database, searchPath, parsedBy);
        Known before = known.get(text);
        if (before != null && before.schema() == schema && !before.statement().isOutdated()) {
            return before.statement();
        }
        PreparedStatement statement = before != null && before.statement().isOutdated()
                ? before.statement().current()
                : create(tail, parsedBy, reason, traits, catalog);
        if (known.put(text, new Known(statement, schema)) == null) {
            bytes += text.bytes();
        }
        var eldest = known.entrySet().iterator();
        while (bytes > limitBytes && known.size() > 1) {
            Map.Entry<Text, Known> out = eldest.next();
            bytes -= out.getKey().bytes();
            eldest.remove();
        }
        return statement;
    }

    /** A statement for one client alone: by what its text will be parsed is not known, or names may mean what only the client has. */
    synchronized PreparedStatement unshared(byte[] tail, Reason reason, int traits, long catalog) {
        return create(tail, null, reason, traits, catalog);
    }

    /** A client changed the schema, so that what was prepared before may mean something else now. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // of two changes at once, one is enough
    void onSchemaChange() {
        schema++;
    }

    /** Gives the statement a new name, for a change of tables made its plans on all servers useless. */
    synchronized void outdate(PreparedStatement statement) {
        if (!statement.isOutdated()) {
            statement.replaceBy(create(
                    statement.tail(),
                    statement.parsedBy(),
                    statement.reason(),
                    statement.traits(),
                    statement.catalog()));
        }
    }

    private PreparedStatement create(byte[] tail, @Nullable String parsedBy, Reason reason, int traits, long catalog) {
        issued++;
        return new PreparedStatement(issued, tail, parsedBy, reason, traits, catalog);
    }

    /** Those that later clients would get, the one that was asked for last at the end; at most {@code most}. */
    public synchronized List<PreparedStatement> latest(int most) {
        return known.values().stream()
                .skip(Math.max(0, known.size() - most))
                .map(Known::statement)
                .toList();
    }
}
