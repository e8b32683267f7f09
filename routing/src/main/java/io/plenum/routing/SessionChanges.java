package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.sql.Call;
import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Confined to its event loop: names what a text of SQL changes in the session, so that it can be followed. One pass over
 * at most {@value StatementClassifier#LIMIT} bytes, no recursion. It allocates names, and is for texts with
 * {@link Traits#CHANGES_SESSION}: those of other texts are none.
 *
 * <p>It follows PostgreSQL's grammar ({@code VariableSetStmt}, {@code VariableResetStmt} in {@code gram.y}) for all that
 * PostgreSQL accepts, and may name changes in a text that PostgreSQL refuses. A name is told where the text names it,
 * whatever becomes of the transaction; a statement that is only prepared, explained or declared as a cursor is told of
 * too. Better a change too many than one too few: whoever is told looks up the value, or takes what is there.
 *
 * <p>The text must be one that can be trusted, see
 * {@link StatementClassifier#classify(ByteBuf, int, int, boolean, Catalog)}, and in UTF-8 as far as its names are
 * concerned; a name that is not valid UTF-8 is unknown.
 *
 * <p>Not seen, with the consequence that a change is missed: SET and {@code set_config} in strings (what DO runs, in
 * dollar quotes or not, and what EXECUTE of PL/pgSQL does), in functions, procedures, views and rules, and in statements
 * that were prepared by SQL earlier and are run by EXECUTE.
 */
public final class SessionChanges {
    /**
     * Told of each change in the order of the text. Names are folded as PostgreSQL folds them: a word without quotes is
     * in lower case, a name in quotes is exact and without the quotes, both are cut to 63 bytes. Names of settings are
     * always in lower case, for PostgreSQL finds them in any.
     *
     * <p>Settings that last for the transaction ({@code transaction_isolation}, {@code transaction_read_only},
     * {@code transaction_deferrable}) are not told of, however they are set. A change of {@code session_authorization}
     * is followed by the same of {@code role}, which PostgreSQL changes with it.
     */
    public interface Sink {
        /** {@code SET [SESSION] x TO v}, {@code set_config('x', v, false)} and their other forms. */
        void set(String setting);

        /** {@code RESET x}, {@code SET x TO DEFAULT}. */
        void reset(String setting);

        /** {@code RESET ALL}, which leaves {@code role} and {@code session_authorization} alone. */
        void resetAll();

        /** {@code DISCARD ALL}. */
        void discardAll();

        /** {@code DISCARD SEQUENCES}. */
        default void discardSequences() {}

        /** {@code LISTEN x}. */
        void listen(String channel);

        /** {@code UNLISTEN x}. */
        void unlisten(String channel);

        /** {@code UNLISTEN *}. */
        void unlistenAll();

        /** {@code set_config($1, v, false)}: the name is the value of this parameter, for {@link #tellNamed}. */
        default void setNamedBy(int parameter) {
            unknown();
        }

        /** The session may change in a way that the text does not name, or that was not understood. */
        void unknown();
    }

    private static final int MAX_PARAMETER = 65_535;

    private final TextCursor tokens = new TextCursor();

    // The set_config( whose arguments are read: their level, 0 for none; the commas on it; of its last argument how
    // many tokens it has and what the first says; the first argument if it is a plain literal.
    private int depth;
    private int callDepth;
    private int commas;
    private int argumentTokens;
    private boolean argumentIsTrue;
    private boolean argumentIsColumn;
    private @Nullable String argument;
    private int argumentParameter;
    private @Nullable String setting;
    private int settingParameter;
    private boolean settingIsColumn;
    /** The call that has just ended has its name from the column {@code name}. */
    private boolean namedByRow;

    /**
     * Tells the sink of each change in {@code [start, end)}, which is without its terminating zero. The indices of the
     * buffer play no part and stay; nothing of the buffer is kept.
     */
    public void read(ByteBuf sql, int start, int end, Sink sink) {
        Objects.checkFromToIndex(start, end, sql.capacity());
        int length = Math.min(end - start, StatementClassifier.LIMIT);
        byte[] copy = new byte[length];
        sql.getBytes(start, copy, 0, length);
        read(copy, 0, length, length < end - start, sink);
    }

    /** The same for an array, which must not change meanwhile. */
    public void read(byte[] sql, int start, int end, Sink sink) {
        Objects.checkFromToIndex(start, end, sql.length);
        int length = Math.min(end - start, StatementClassifier.LIMIT);
        read(sql, start, start + length, length < end - start, sink);
    }

    private void read(byte[] sql, int start, int end, boolean cut, Sink sink) {
        tokens.read(sql, start, end);
        do {
            beginStatement();
            statement(sink);
            skipStatement();
        } while (tokens.token() == Token.SEMICOLON);
        if (cut) {
            sink.unknown();
        }
        tokens.letGo();
        argument = null;
        setting = null;
    }

    private void beginStatement() {
        depth = 0;
        callDepth = 0;
        tokens.beginStatement();
    }

    private void skipStatement() {
        while (!tokens.ended()) {
            tokens.advance();
        }
    }

    private void statement(Sink sink) {
        switch (tokens.term()) {
            case SET -> set(sink);
            case RESET -> reset(sink);
            case DISCARD -> discard(sink);
            case LISTEN -> listen(sink);
            case UNLISTEN -> unlisten(sink);
            default -> body(sink, !isUnderstood());
        }
    }

    /** Whether the statement begins as PostgreSQL's do. */
    private boolean isUnderstood() {
        return switch (tokens.term()) {
            case SELECT, WITH, VALUES, TABLE, EXPLAIN, SHOW -> true;
            case BEGIN, START, COMMIT, END, ABORT, ROLLBACK -> true;
            case CREATE, ALTER, DECLARE, PREPARE, EXECUTE, RUNNING, MAINTAINING, LOAD, COPY, LOCK, CHECKPOINT -> true;
            case INSERT, UPDATE, DELETE, MERGE, NOTIFY, ANALYZE, WRITING, DEALLOCATE, UTILITY, FETCH -> true;
            default -> tokens.token() == Token.OPEN || tokens.ended();
        };
    }

    // SET

    /** {@code SET [SESSION | LOCAL] set_rest}. Each word that means something here may be the name of a setting too. */
    private void set(Sink sink) {
        tokens.advance();
        while (true) {
            boolean keyword = tokens.token() == Token.WORD;
            String name = tokens.name();
            tokens.advance();
            if (!keyword || assigns()) {
                assignment(name, sink);
                return;
            }
            switch (name) {
                case "session" -> {} // SET SESSION and what is set, SESSION AUTHORIZATION, SESSION CHARACTERISTICS
                case "local", "transaction", "constraints" -> {
                    return; // ends with the transaction
                }
                case "characteristics" -> {
                    characteristics(sink);
                    return;
                }
                case "authorization" -> {
                    tellValue("session_authorization", tokens.is("default"), sink);
                    return;
                }
                case "role" -> {
                    tellValue("role", false, sink);
                    return;
                }
                case "time" -> {
                    boolean zone = tokens.is("zone");
                    tokens.advance();
                    tellValue(zone ? "timezone" : null, tokens.is("default") || tokens.is("local"), sink);
                    return;
                }
                case "names" -> {
                    tellEnded("client_encoding", tokens.ended() || tokens.is("default"), sink);
                    return;
                }
                case "schema" -> {
                    tellValue(tokens.token() == Token.STRING ? "search_path" : null, false, sink);
                    return;
                }
                case "xml" -> {
                    boolean option = tokens.is("option");
                    tokens.advance();
                    tellValue(option ? "xmloption" : null, false, sink);
                    return;
                }
                case null, default -> {
                    sink.unknown();
                    return;
                }
            }
        }
    }

    /** Whether the token at hand makes what stands before it the name of a setting that is set. */
    private boolean assigns() {
        return tokens.token() == Token.DOT || tokens.term() == Term.TO || isEqualSign() || tokens.is("from");
    }

    /** {@code =}, also where a sign of the value follows it directly: PostgreSQL takes that off the operator. */
    private boolean isEqualSign() {
        if (tokens.token() != Token.OPERATOR) {
            return false;
        }
        int start = tokens.begin();
        int end = tokens.end();
        for (int at = start + 1; at < end; at++) {
            if (tokens.at(at) != '-' && tokens.at(at) != '+') {
                return false;
            }
        }
        return tokens.at(start) == '=';
    }

    /** Behind the first part of a name: the others, a sign, a value. */
    private void assignment(@Nullable String first, Sink sink) {
        String name = qualified(first);
        boolean assigns = assigns();
        tokens.advance();
        tellValue(assigns ? name : null, tokens.is("default"), sink);
    }

    /** {@code SET SESSION CHARACTERISTICS AS TRANSACTION modes}, at AS. */
    private void characteristics(Sink sink) {
        boolean understood = tokens.is("as");
        for (; !tokens.ended(); tokens.advance()) {
            if (tokens.token() == Token.COMMA) {
                continue;
            }
            switch (tokens.token() == Token.WORD ? tokens.name() : null) {
                case "isolation" -> sink.set("default_transaction_isolation");
                case "only", "write" -> sink.set("default_transaction_read_only");
                case "deferrable" -> sink.set("default_transaction_deferrable");
                case "as", "transaction", "level", "read", "repeatable", "committed", "uncommitted" -> {}
                case "serializable", "not" -> {}
                case null, default -> understood = false;
            }
        }
        if (!understood || tokens.token() == Token.BROKEN) {
            sink.unknown();
        }
    }

    /** RESET */
    private void reset(Sink sink) {
        tokens.advance();
        boolean keyword = tokens.token() == Token.WORD;
        String name = tokens.name();
        tokens.advance();
        if (keyword && name != null && tokens.token() == Token.WORD) {
            // No name of a setting has a word behind it.
            switch (name) {
                case "transaction" -> {} // ISOLATION LEVEL
                case "session" -> tellValue(tokens.is("authorization") ? "session_authorization" : null, true, sink);
                case "time" -> tellValue(tokens.is("zone") ? "timezone" : null, true, sink);
                default -> sink.unknown();
            }
            return;
        }
        if (keyword && "all".equals(name) && tokens.isEnd()) {
            sink.resetAll();
            return;
        }
        String whole = qualified(name);
        if (tokens.isEnd()) {
            tell(whole, true, sink);
        } else {
            sink.unknown();
        }
    }

    /** A value must be at hand. */
    private void tellValue(@Nullable String name, boolean reset, Sink sink) {
        if (tokens.ended()) {
            sink.unknown();
        } else {
            tellEnded(name, reset, sink);
        }
    }

    /** Once the statement is read to its end: nothing stands behind DEFAULT, and each string is closed. */
    private void tellEnded(@Nullable String name, boolean reset, Sink sink) {
        boolean alone = true;
        if (!tokens.ended()) {
            tokens.advance();
            alone = tokens.ended();
        }
        skipStatement();
        if (tokens.token() == Token.BROKEN || (reset && !alone)) {
            sink.unknown();
        } else {
            tell(name, reset, sink);
        }
    }

    private static void tell(@Nullable String name, boolean reset, Sink sink) {
        switch (name) {
            case null -> sink.unknown();
            case "" -> sink.unknown();
            case "transaction_isolation", "transaction_read_only", "transaction_deferrable" -> {}
            case "session_authorization" -> {
                tellOne(name, reset, sink);
                tellOne("role", reset, sink);
            }
            default -> tellOne(name, reset, sink);
        }
    }

    private static void tellOne(String name, boolean reset, Sink sink) {
        if (reset) {
            sink.reset(name);
        } else {
            sink.set(name);
        }
    }

    // DISCARD, LISTEN, UNLISTEN

    private void discard(Sink sink) {
        tokens.advance();
        boolean all = tokens.is("all");
        boolean sequences = tokens.is("sequences");
        tokens.advance();
        if (sequences) {
            sink.discardSequences();
        } else if (all) {
            if (tokens.isEnd()) {
                sink.discardAll();
            } else {
                sink.unknown();
            }
        }
    }

    private void listen(Sink sink) {
        tokens.advance();
        String channel = tokens.name();
        tokens.advance();
        if (channel != null && tokens.isEnd()) {
            sink.listen(channel);
        } else {
            sink.unknown();
        }
    }

    private void unlisten(Sink sink) {
        tokens.advance();
        boolean all = tokens.token() == Token.OPERATOR && tokens.at(tokens.begin()) == '*';
        String channel = tokens.name();
        tokens.advance();
        if (tokens.isEnd() && all) {
            sink.unlistenAll();
        } else if (tokens.isEnd() && channel != null) {
            sink.unlisten(channel);
        } else {
            sink.unknown();
        }
    }

    // set_config

    /** Any other statement, from the token at hand: the calls of {@code set_config} in it. */
    private void body(Sink sink, boolean doubted) {
        boolean told = false;
        for (; !tokens.ended(); tokens.advance()) {
            if (doubted) {
                told |= mayChangeSession();
            } else {
                look(sink);
                if (namedByRow) {
                    namedByRow = false;
                    row(sink);
                    return;
                }
            }
        }
        if (told || callDepth > 0) {
            sink.unknown();
        }
    }

    /** Whether the token at hand changes the session in some statement; behind a dot too, for nothing is certain. */
    private boolean mayChangeSession() {
        return switch (tokens.token() == Token.WORD ? Lexeme.letters(tokens.current()) : Term.NONE) {
            case SET, RESET, DISCARD, LISTEN, UNLISTEN -> true;
            default ->
                Lexeme.call(tokens.current()) == Call.SET_CONFIG
                        || (tokens.token() == Token.OPEN && tokens.previousToken() == Token.ESCAPED);
        };
    }

    private void look(Sink sink) {
        boolean isArgument = callDepth > 0;
        switch (tokens.token()) {
            case OPEN -> open(sink);
            case CLOSE -> {
                if (depth == callDepth && isArgument) {
                    close(sink);
                    isArgument = false;
                }
                depth = Math.max(0, depth - 1);
            }
            case COMMA -> {
                if (depth == callDepth && isArgument) {
                    comma();
                    isArgument = false;
                }
            }
            case PARAMETER -> {
                if (isArgument && argumentTokens == 0) {
                    argumentParameter = parameter();
                }
            }
            case STRING, WORD -> {
                if (isArgument && argumentTokens == 0 && commas != 1) {
                    argument = tokens.token() == Token.STRING ? tokens.literal() : null;
                    argumentIsColumn = tokens.is("name");
                    argumentIsTrue = tokens.term() == Term.TRUE;
                }
            }
            default -> {}
        }
        if (isArgument) {
            argumentTokens++;
        }
    }

    private void open(Sink sink) {
        depth++;
        if (!Lexeme.isName(tokens.previous()) || Lexeme.token(tokens.lead()) == Token.CAST) {
            return; // no call; a type
        }
        if (Lexeme.term(tokens.lead()) == Term.AS || Lexeme.term(tokens.lead()) == Term.INTO) {
            return; // an alias, a table
        }
        if (tokens.previousToken() == Token.ESCAPED) {
            sink.unknown(); // a call of no one knows what
        } else if (Lexeme.call(tokens.previous()) == Call.SET_CONFIG) {
            boolean own = tokens.nameParts() == 1
                    || (tokens.nameParts() == 2 && Lexeme.letters(tokens.qualifier()) == Term.PG_CATALOG);
            if (!own || callDepth > 0) {
                sink.unknown(); // a user's function that may do the same; one call within the other
                return;
            }
            callDepth = depth;
            commas = 0;
            setting = null;
            settingParameter = 0;
            settingIsColumn = false;
            beginArgument();
        }
    }

    private void comma() {
        if (commas == 0) {
            setting = argumentTokens == 1 ? argument : null;
            settingParameter = argumentTokens == 1 ? argumentParameter : 0;
            settingIsColumn = argumentTokens == 1 && argumentIsColumn;
        }
        commas++;
        beginArgument();
    }

    private void beginArgument() {
        argumentTokens = 0;
        argumentIsTrue = false;
        argumentIsColumn = false;
        argument = null;
        argumentParameter = 0;
    }

    /** At the parenthesis that ends the arguments: {@code set_config(name, value, true)} ends with the transaction. */
    private void close(Sink sink) {
        callDepth = 0;
        boolean local = commas == 2 && argumentTokens == 1 && (argumentIsTrue || isTrue(argument));
        if (!local && commas == 2 && settingParameter > 0) {
            sink.setNamedBy(settingParameter);
        } else if (!local && commas == 2 && settingIsColumn) {
            namedByRow = true;
        } else if (!local) {
            tell(commas == 2 && setting != null ? TextCursor.lowerCase(setting) : null, false, sink);
        }
    }

    /**
     * Behind {@code set_config(name, v, false)}: what pg_dump puts there names the setting, {@code FROM pg_settings WHERE
     * name = 'x'} and no more. Nothing is changed where there is none of that name.
     */
    private void row(Sink sink) {
        String named = null;
        tokens.advance();
        boolean known = tokens.skip("from");
        if (known && tokens.skip("pg_catalog")) {
            known = tokens.token() == Token.DOT;
            if (known) {
                tokens.advance();
            }
        }
        if (known && tokens.skip("pg_settings") && tokens.skip("where") && tokens.skip("name") && isEqualSign()) {
            tokens.advance();
            named = tokens.token() == Token.STRING ? tokens.literal() : null;
            tokens.advance();
        }
        tell(named != null && tokens.isEnd() ? TextCursor.lowerCase(named) : null, false, sink);
        skipStatement();
    }

    /** Tells the sink of {@code set_config(name, v, false)} with a name that was a parameter. */
    public static void tellNamed(String name, Sink sink) {
        tell(TextCursor.lowerCase(name), false, sink);
    }

    /** The number of the parameter at hand; 0 for one that is too large to be one. */
    private int parameter() {
        int number = 0;
        for (int at = tokens.begin() + 1; at < tokens.end() && number <= MAX_PARAMETER; at++) {
            number = 10 * number + tokens.at(at) - '0';
        }
        return number <= MAX_PARAMETER ? number : 0;
    }

    /** Whether a literal is true for PostgreSQL, in the spellings that people use. */
    private static boolean isTrue(@Nullable String literal) {
        return switch (literal == null ? "" : TextCursor.lowerCase(literal)) {
            case "t", "true", "y", "yes", "on", "1" -> true;
            default -> false;
        };
    }

    /** The whole name in lower case, whose first part is given, and whose other parts follow behind dots. */
    private @Nullable String qualified(@Nullable String first) {
        boolean known = first != null;
        StringBuilder name = new StringBuilder(known ? first : "");
        while (tokens.token() == Token.DOT) {
            tokens.advance();
            String part = tokens.name();
            known &= part != null;
            name.append('.').append(part);
            tokens.advance();
        }
        return known ? TextCursor.lowerCase(name) : null;
    }
}
