package io.plenum.routing;

import io.plenum.routing.sql.Call;
import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import io.plenum.routing.sql.TokenCursor;
import io.plenum.wire.AsciiCase;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Says of the body of a function in PL/pgSQL whether it could run on a standby, and whether it leaves the session as it was.
 *
 * <p>It does not follow what is run: every word counts that stands in the body, in whatever branch. SQL that is put together
 * at run time (EXECUTE) is not understood, and so is every function that neither the built-in lists nor the catalogue know.
 */
final class CodeReader {
    /** Words of PL/pgSQL that may stand before a parenthesis. */
    private static final Set<String> WORDS = Set.of(
            "if",
            "elsif",
            "elseif",
            "while",
            "return",
            "query",
            "next",
            "exit",
            "continue",
            "case",
            "when",
            "assert",
            "raise",
            "perform",
            "slice",
            "loop",
            "strict",
            "open",
            "scroll",
            "cursor",
            "alias",
            "constant",
            "info",
            "notice",
            "warning",
            "exception",
            "debug",
            "log",
            "using",
            "in",
            "reverse",
            "by",
            "is",
            "of",
            "record");

    /** Behind these, as behind a semicolon, a statement begins. */
    private static final Set<String> OPENINGS = Set.of("begin", "then", "else", "loop");

    private final TokenCursor tokens = new TokenCursor();
    private byte[] text = {};
    private Catalog catalog = Catalog.OFF;
    private boolean mayRunOnStandby;
    private boolean isClean;

    /** The last name, in lower case, and what the catalogue knows of it. */
    private String spelling = "";

    private int known;

    /** Reads a body; the answers are in {@link #mayRunOnStandby()} and {@link #isClean()}. */
    void read(byte[] body, Catalog catalog) {
        this.catalog = catalog;
        text = body;
        tokens.over(body, 0, body.length);
        mayRunOnStandby = true;
        isClean = true;
        do {
            tokens.advance();
            look();
        } while (tokens.token() != Token.END && (mayRunOnStandby || isClean));
        tokens.clear();
    }

    /** Whether nothing in it is known to write or to tell nodes apart, and all of it is known. */
    boolean mayRunOnStandby() {
        return mayRunOnStandby;
    }

    /** Whether nothing in it changes what outlives the transaction in a session. */
    boolean isClean() {
        return isClean;
    }

    private void look() {
        switch (tokens.token()) {
            case WORD, QUOTED -> {
                word(tokens.term());
                name();
            }
            case ESCAPED, BROKEN -> spoil(true);
            case OPERATOR -> {
                if (catalog.hasOperators()) {
                    use(tokens.scanner().lookOperator(catalog.names()));
                }
            }
            case OPEN -> open();
            default -> {}
        }
    }

    private void spoil(boolean alsoSession) {
        mayRunOnStandby = false;
        isClean &= !alsoSession;
    }

    private void word(Term term) {
        switch (term) {
            case EXECUTE, TEMPORARY, PG_TEMP, HOLD, MAINTAINING, CASCADE -> spoil(true);
            case SET, RESET, LISTEN, UNLISTEN, LOAD, PREPARE, DEALLOCATE, DISCARD, NOTIFY, RUNNING, ANALYZE -> {
                if (beginsStatement()) {
                    spoil(true); // else UPDATE ... SET, or a name
                }
            }
            case CREATE -> spoil(true); // it is temporary if the search_path of whoever runs it says so
            case ALTER, WRITING -> spoil(catalog.watchesDefinitions());
            case INSERT, DELETE, MERGE, UPDATE, COPY, LOCK, CHECKPOINT -> spoil(false);
            case NO, SHARE, KEY -> {
                if (tokens.previousTerm() == Term.FOR) {
                    spoil(false);
                }
            }
            default -> {}
        }
    }

    /** Whether a statement may begin at the word at hand. */
    private boolean beginsStatement() {
        return switch (tokens.previousToken()) {
            case SEMICOLON, END, OPERATOR -> true; // a label ends with a sign
            case WORD -> OPENINGS.contains(spelling);
            default -> false;
        };
    }

    private void name() {
        int start = tokens.begin();
        spelling = AsciiCase.lower(new String(text, start, tokens.end() - start, StandardCharsets.UTF_8).strip());
        known = tokens.scanner().look(catalog.names());
        use((known & Catalog.EVERYWHERE) | (tokens.previousToken() == Token.DOT ? Catalog.asColumn(known) : 0));
        boolean system =
                Lexeme.isSystemName(tokens.current()) || Lexeme.letters(tokens.current()) == Term.INFORMATION_SCHEMA;
        if (system
                && Lexeme.letters(tokens.current()) != Term.PG_CATALOG
                && Lexeme.call(tokens.current()) == Call.UNKNOWN) {
            spoil(false);
        }
    }

    private void use(int bits) {
        if (bits != 0) {
            mayRunOnStandby &= (bits & ~Catalog.UNCLEAN_WRITE) == 0;
            isClean &= (bits & (Catalog.UNCLEAN_READ | Catalog.UNCLEAN_WRITE)) == 0;
        }
    }

    private void open() {
        if (!Lexeme.isName(tokens.previous())) {
            return;
        }
        boolean qualified = tokens.nameParts() > 1;
        boolean system = qualified && Lexeme.letters(tokens.qualifier()) == Term.PG_CATALOG;
        Call call = qualified && !system ? Call.UNKNOWN : Lexeme.call(tokens.previous());
        boolean isKnown = (known & (system ? Catalog.SYSTEM_FUNCTION : Catalog.FUNCTION)) != 0;
        if (isKnown) {
            mayRunOnStandby &= (known & Catalog.VOLATILE) == 0;
            isClean &= (known & Catalog.UNCLEAN) == 0;
        }
        switch (call) {
            case HARMLESS, RESERVED, CURRENT_SETTING -> {}
            case CATALOG, NODE_LOCAL, CHANNELS, CANCEL, TERMINATE, SEQUENCE, TRANSACTION_LOCK -> spoil(false);
            case SESSION_LOCK, SET_CONFIG, SESSION_STATE, SEQUENCE_MEMORY, NOTIFY -> spoil(true);
            case UNKNOWN -> {
                if (!isKnown && (known & Catalog.IMMUTABLE) == 0 && !isNoCall()) {
                    spoil(true);
                }
            }
        }
    }

    /** Whether the name before the parenthesis is a word of the language, a type, an alias, or a table that is written to. */
    private boolean isNoCall() {
        int lead = tokens.lead();
        if (Lexeme.token(lead) == Token.CAST || Lexeme.term(lead) == Term.AS || Lexeme.term(lead) == Term.INTO) {
            return true;
        }
        if (tokens.nameParts() > 1 || tokens.previousToken() != Token.WORD) {
            return false;
        }
        return switch (tokens.previousTerm()) {
            case OVER, FILTER, WITHIN, BY, ROLLUP, SETS, MATERIALIZED, FIRST, VARYING, JOIN, LIKE, OPERATOR -> true;
            case SET, CONFLICT, ZONE, SAMPLING, REPEATABLE -> true;
            default -> WORDS.contains(spelling);
        };
    }
}
