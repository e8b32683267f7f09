package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Confined to its event loop: names the databases and roles, which all databases of a cluster share, that a text of SQL creates,
 * alters or drops. One pass over at most {@value StatementClassifier#LIMIT} bytes, no recursion. It allocates names, and is for
 * texts with {@link Traits#CHANGES_GLOBALS}: those of other texts are none.
 *
 * <p>The text must be one that can be trusted, as for {@link SessionChanges}. It may name changes in a text that PostgreSQL
 * refuses. Not seen is what stands in strings (what DO runs) and in functions.
 */
public final class GlobalChanges {
    /** Told of each change in the order of the text; names are as PostgreSQL compares them. */
    public interface Sink {
        /**
         * PostgreSQL does it only while no session but the one that asks is in this database: DROP, RENAME, SET TABLESPACE, and a
         * copy of it. Told before {@link #changes}.
         */
        void claims(String database);

        /** What sessions of this role begin with in this database changes; null stands for all, and for what cannot be told. */
        void changes(@Nullable String role, @Nullable String database);
    }

    /** What CREATE DATABASE copies unless it says otherwise. */
    private static final String DEFAULT_TEMPLATE = "template1";

    private final TextCursor tokens = new TextCursor();

    /** Tells the sink of each change in {@code [start, end)}; nothing of the buffer is kept. */
    public void read(ByteBuf sql, int start, int end, Sink sink) {
        Objects.checkFromToIndex(start, end, sql.capacity());
        byte[] text = new byte[Math.min(end - start, StatementClassifier.LIMIT)];
        sql.getBytes(start, text);
        tokens.read(text, 0, text.length);
        do {
            tokens.beginStatement();
            statement(sink);
            while (!tokens.ended()) {
                tokens.advance();
            }
        } while (tokens.token() == Token.SEMICOLON);
        tokens.letGo();
    }

    private void statement(Sink sink) {
        boolean creates = tokens.term() == Term.CREATE;
        boolean alters = tokens.term() == Term.ALTER;
        if (!creates && !alters && !tokens.is("drop")) {
            return;
        }
        tokens.advance();
        if (tokens.skip("database")) {
            if (creates) {
                createDatabase(sink);
            } else if (alters) {
                alterDatabase(sink);
            } else {
                dropDatabase(sink);
            }
        } else if (tokens.skip("role") || tokens.skip("user") || tokens.skip("group")) {
            role(alters, sink);
        }
    }

    // Databases

    private void createDatabase(Sink sink) {
        String name = takeName();
        String template = DEFAULT_TEMPLATE;
        while (name != null && !tokens.ended()) {
            boolean named = tokens.skip("template");
            if (named && tokens.token() == Token.OPERATOR) {
                tokens.advance();
            }
            if (named && !tokens.is("default")) {
                template = tokens.token() == Token.STRING ? tokens.literal() : tokens.name();
            }
            if (!tokens.ended()) {
                tokens.advance();
            }
        }
        claim(template, sink);
        change(name, sink);
    }

    private void alterDatabase(Sink sink) {
        String name = takeName();
        boolean renames = tokens.is("rename");
        boolean sets = setsDefaults();
        if (renames || (tokens.skip("set") && tokens.is("tablespace"))) {
            claim(name, sink);
        }
        if (renames || sets) {
            change(name, sink);
        }
    }

    private void dropDatabase(Sink sink) {
        ifExists();
        String name = takeName();
        claim(name, sink);
        change(name, sink);
    }

    private static void claim(@Nullable String database, Sink sink) {
        if (database != null) {
            sink.claims(database);
        }
    }

    private static void change(@Nullable String database, Sink sink) {
        if (database != null) {
            sink.changes(null, database);
        }
    }

    /** SET or RESET: what else ALTER does is in force for the sessions that there are, or, as a password, no matter of theirs. */
    private boolean setsDefaults() {
        return tokens.is("set") || tokens.is("reset");
    }

    // Roles

    /** Behind CREATE, ALTER or DROP ROLE, USER or GROUP: one name, or several of DROP. */
    private void role(boolean alters, Sink sink) {
        ifExists();
        boolean mapping = tokens.is("mapping");
        boolean all = alters && isOfWhomItMayConcern();
        String name = takeName();
        if (mapping && (tokens.term() == Term.FOR || tokens.is("if"))) {
            return; // USER MAPPING is of foreign servers
        }
        String database = null;
        if (alters && tokens.skip("in") && tokens.skip("database")) {
            database = takeName();
        }
        boolean renames = alters && tokens.skip("rename");
        if (!alters || renames || setsDefaults()) {
            sink.changes(all ? null : name, database);
        }
        if (renames && tokens.skip("to")) {
            sink.changes(tokens.name(), null); // servers of an earlier role of that name are another's
        }
        while (!alters && tokens.token() == Token.COMMA) {
            tokens.advance();
            sink.changes(takeName(), null);
        }
    }

    /** ALL, or a word for the role of the session, which the text does not name. */
    private boolean isOfWhomItMayConcern() {
        return tokens.is("all") || tokens.is("current_user") || tokens.is("current_role") || tokens.is("session_user");
    }

    private void ifExists() {
        if (tokens.skip("if")) {
            tokens.skip("exists");
        }
    }

    /** The name at hand, and goes on behind it. */
    private @Nullable String takeName() {
        String name = tokens.name();
        if (!tokens.ended()) {
            tokens.advance();
        }
        return name;
    }
}
