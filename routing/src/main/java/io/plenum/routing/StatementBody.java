package io.plenum.routing;

import io.plenum.routing.sql.Call;
import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;

/**
 * Confined to its event loop: what a statement is by all that stands in it behind its first words. It finds what writes,
 * locks, or changes the session in the midst of it, which functions are called, and whether relations of the system are named.
 */
final class StatementBody {
    private final CatalogCursor tokens;
    /** What is read is the definition of a view, a policy or a function, and no client's text. */
    private final boolean stored;

    private final Nesting nesting = new Nesting();
    private final SettingCall settingCall = new SettingCall();

    /** The name may be one of PostgreSQL's own; what follows it decides. */
    private boolean systemName;
    /** A relation of the system's stood in the statement. */
    private boolean namesCatalog;

    /** What the parenthesis at hand opens. */
    private byte opened;
    /** The last INTO is not that of INSERT INTO or MERGE INTO. */
    private boolean selectInto;
    /** The statement is not understood, so any word may mean what it seems to mean. */
    private boolean doubted;
    /** The word UPDATE stood in the statement, so SET may have a list of columns behind it. */
    private boolean updates;
    /** The word JOIN stood in the statement, so ON may have a condition behind it. */
    private boolean joins;
    /** What begins the statement may have CASCADE behind it. */
    private boolean mayCascade;

    private int traits;

    StatementBody(CatalogCursor tokens, boolean stored) {
        this.tokens = tokens;
        this.stored = stored;
    }

    /** To the beginning of a statement. */
    void clear() {
        nesting.clear();
        settingCall.clear();
        systemName = false;
        namesCatalog = false;
        doubted = false;
        updates = false;
        joins = false;
        mayCascade = false;
        traits = 0;
    }

    /** The {@link Traits} found since {@link #clear}. */
    int traits() {
        return traits;
    }

    /** The parenthesis before the token at hand is around a query. */
    void openQuery() {
        nesting.open(Nesting.QUERY);
    }

    /** CASCADE reaches what the statement does not name. */
    void setMayCascade() {
        mayCascade = true;
    }

    /** What it adds to the traits that the schema changes. */
    int ofDefinitions() {
        return tokens.catalog().watchesDefinitions() ? Traits.RUNS_UNKNOWN_CODE : 0;
    }

    /** The same where it creates something: that is temporary if the search_path of whoever runs stored code says so. */
    int ofCreation() {
        return stored ? Traits.RUNS_UNKNOWN_CODE : ofDefinitions();
    }

    /** From the token at hand to the end of the statement: what its first words say, or worse. */
    Reason read(Reason first) {
        Reason reason = first == Reason.NOT_UNDERSTOOD ? notUnderstood() : first;
        doubted = first == Reason.NOT_UNDERSTOOD;
        for (; !tokens.ended(); tokens.advance()) {
            if (systemName) {
                reason = reason.or(systemName());
            }
            if (tokens.current() != Lexeme.UNKNOWN_WORD) {
                Reason found = look();
                if (found != Reason.EMPTY) {
                    reason = reason.or(found);
                }
            }
            settingCall.countToken();
        }
        if (systemName) {
            reason = reason.or(systemName());
        }
        if (settingCall.isOpen()) {
            reason = reason.or(sessionSetting());
        }
        if (namesCatalog && reason == Reason.WRITE) {
            traits |= Traits.RUNS_UNKNOWN_CODE; // the rule of UPDATE pg_settings calls set_config
        }
        if (tokens.mayRunUnknownCode(reason)) {
            traits |= Traits.RUNS_UNKNOWN_CODE;
        }
        reason = reason.or(tokens.ofNames());
        return tokens.token() == Token.BROKEN ? reason.or(notUnderstood()) : reason;
    }

    /** Whatever the statement does. */
    Reason notUnderstood() {
        traits |= Traits.RUNS_UNKNOWN_CODE;
        return Reason.NOT_UNDERSTOOD;
    }

    private Reason unknownFunction() {
        traits |= Traits.RUNS_UNKNOWN_CODE;
        return Reason.UNKNOWN_FUNCTION;
    }

    private Reason sessionSetting() {
        traits |= Traits.CHANGES_SESSION;
        return Reason.SESSION_SETTING;
    }

    /** What the token at hand adds to the statement; EMPTY if nothing. */
    private Reason look() {
        return switch (tokens.token()) {
            case WORD -> word();
            case QUOTED -> name();
            case ESCAPED -> notUnderstood();
            case OPEN -> open();
            case CLOSE -> close();
            case COMMA -> comma();
            default -> Reason.EMPTY;
        };
    }

    /** A word: of the grammar, or a name. */
    private Reason word() {
        if (doubted) {
            traits |= SessionWords.traitsOfWord(tokens.term());
            if (SessionWords.changesSession(tokens.term())) {
                return Reason.SESSION_DOUBT;
            }
        }
        return switch (tokens.term()) {
            case NONE, LAST_VALUE, INFORMATION_SCHEMA, PG_CATALOG, PG_TEMP -> name();
            case WITH -> {
                if (tokens.previousToken() == Token.OPEN || tokens.previousToken() == Token.END) {
                    nesting.becomeWithList();
                }
                yield Reason.EMPTY;
            }
            case SELECT, VALUES, TABLE -> {
                nesting.become(tokens.previousToken() == Token.OPEN ? Nesting.QUERY : nesting.kind());
                yield Reason.EMPTY;
            }
            case INSERT, DELETE, MERGE -> Reason.WRITE;
            case UPDATE -> {
                boolean locks = tokens.previousTerm() == Term.FOR || tokens.previousTerm() == Term.KEY;
                updates |= !locks;
                yield locks ? Reason.LOCKING_READ : Reason.WRITE;
            }
            case JOIN -> {
                joins = true;
                yield Reason.EMPTY;
            }
            case NO, SHARE, KEY -> tokens.previousTerm() == Term.FOR ? Reason.LOCKING_READ : Reason.EMPTY;
            case INTO -> {
                selectInto = tokens.previousTerm() != Term.INSERT && tokens.previousTerm() != Term.MERGE;
                traits |= selectInto ? ofCreation() | Traits.CREATES : 0;
                yield Reason.WRITE;
            }
            case CASCADE -> {
                traits |= mayCascade ? Traits.RUNS_UNKNOWN_CODE : 0; // TRUNCATE of tables that the text does not name
                yield Reason.EMPTY;
            }
            case TEMPORARY -> isTemporary() ? Reason.TEMPORARY_OBJECT : Reason.EMPTY;
            default -> Reason.EMPTY;
        };
    }

    /** SELECT ... INTO [GLOBAL | LOCAL] TEMP. Behind INSERT INTO it is the name of a table. */
    private boolean isTemporary() {
        return tokens.previousTerm() == Term.LOCAL
                || tokens.previousTerm() == Term.GLOBAL
                || (tokens.previousTerm() == Term.INTO && selectInto);
    }

    /** A part of a name: whether it is one of PostgreSQL's own depends on the next token. */
    private Reason name() {
        Term named = Lexeme.letters(tokens.current());
        systemName |=
                Lexeme.isSystemName(tokens.current()) || named == Term.LAST_VALUE || named == Term.INFORMATION_SCHEMA;
        if (named == Term.EXECUTE && tokens.previousTerm() == Term.AS) {
            traits |= Traits.RUNS_UNKNOWN_CODE; // CREATE TABLE x AS EXECUTE
        }
        if (!doubted) {
            return Reason.EMPTY;
        }
        traits |= SessionWords.traitsOfName(tokens.current());
        return SessionWords.leavesState(tokens.current()) ? Reason.SESSION_DOUBT : Reason.EMPTY;
    }

    /** At the token behind a name that may be PostgreSQL's own. */
    private Reason systemName() {
        if (tokens.token() == Token.OPEN) {
            return Reason.EMPTY; // a function, or an alias: open() looks at it, and ends the doubt
        }
        if (tokens.token() == Token.STRING) {
            systemName = false; // a type, in front of its literal
            return Reason.EMPTY;
        }
        if (tokens.previousToken() == Token.DOT) {
            systemName = Lexeme.isName(tokens.current()); // behind pg_catalog: a name, or the sign of an operator
            return Reason.EMPTY;
        }
        Term named = Lexeme.letters(tokens.previous());
        systemName = tokens.token() == Token.DOT && named == Term.PG_CATALOG;
        if (named == Term.PG_TEMP) {
            return Reason.TEMPORARY_OBJECT;
        }
        if (systemName || Lexeme.token(tokens.lead()) == Token.CAST || Lexeme.term(tokens.lead()) == Term.AS) {
            return Reason.EMPTY; // what it qualifies comes next; a type; an alias
        }
        if (named == Term.LAST_VALUE) {
            return Reason.SEQUENCE;
        }
        namesCatalog = true;
        return Reason.SYSTEM_CATALOG;
    }

    private Reason open() {
        opened = Nesting.GROUP;
        Reason reason = Reason.EMPTY;
        switch (tokens.previousToken()) {
            case WORD, QUOTED -> reason = behindName();
            case ESCAPED -> {
                opened = Nesting.CALL;
                traits |= Traits.RUNS_UNKNOWN_CODE | Traits.CHANGES_SESSION;
                reason = Reason.SESSION_DOUBT; // a call of no one knows what
            }
            case CLOSE -> nesting.endWithList(); // WITH a AS (...) (SELECT ...) ends the list
            default -> {}
        }
        systemName = false;
        if (nesting.open(opened)) {
            return reason;
        }
        doubted = true;
        return reason.or(notUnderstood());
    }

    /** At the parenthesis behind a name: says what it opens, and what is called if it is a call. */
    private Reason behindName() {
        Call call = Lexeme.call(tokens.previous());
        if (tokens.nameParts() == 1 && tokens.previousToken() == Token.WORD && (call == Call.RESERVED || isGrammar())) {
            opened = tokens.previousTerm() == Term.OPERATOR ? Nesting.OPERATOR_NAME : Nesting.GROUP;
            // A function of users may have the name of a word of the grammar: then this may be either.
            return call == Call.RESERVED || tokens.knownBefore(Catalog.FUNCTION) == 0 ? Reason.EMPTY : known();
        }
        if (isTypeOrAlias()) {
            return Reason.EMPTY;
        }
        opened = Nesting.CALL;
        boolean system = tokens.nameParts() == 2 && Lexeme.letters(tokens.qualifier()) == Term.PG_CATALOG;
        boolean ofUsers = tokens.nameParts() > 1 && !system;
        boolean isKnown = tokens.knownBefore(system ? Catalog.SYSTEM_FUNCTION : Catalog.FUNCTION) != 0;
        if (ofUsers && !isKnown) {
            traits |= Traits.RUNS_UNKNOWN_CODE;
        }
        Reason users = isKnown ? known() : ofUsers ? Reason.UNKNOWN_FUNCTION : Reason.EMPTY;
        // Whatever schema is named: better to keep a server for nothing than to give it away with a lock.
        switch (call) {
            case SESSION_LOCK -> {
                return Reason.SESSION_LOCK;
            }
            case SESSION_STATE -> {
                return Reason.SESSION_STATE;
            }
            case SET_CONFIG -> {
                return ofUsers ? sessionSetting() : setConfig();
            }
            case SEQUENCE_MEMORY, CHANNELS, NOTIFY, CANCEL, TERMINATE, TRANSACTION_LOCK ->
                traits |= SessionWords.traitsOfCall(call);
            default -> {}
        }
        if (ofUsers) {
            return users;
        }
        return switch (call) {
            case HARMLESS -> users;
            case CATALOG -> users.or(Reason.SYSTEM_CATALOG);
            case SEQUENCE, SEQUENCE_MEMORY -> users.or(Reason.SEQUENCE);
            case TRANSACTION_LOCK -> users.or(Reason.LOCKING_READ);
            case NODE_LOCAL, CHANNELS, NOTIFY, CANCEL, TERMINATE -> users.or(Reason.NODE_LOCAL);
            case CURRENT_SETTING ->
                stored || tokens.scanner().isDottedLiteralNext() ? users : users.or(Reason.NODE_LOCAL);
            default -> {
                if (isKnown || tokens.knownBefore(Catalog.IMMUTABLE) != 0) {
                    yield users;
                }
                Reason unknown = unknownFunction();
                yield systemName ? Reason.NODE_LOCAL : unknown;
            }
        };
    }

    /** What a function is that the catalogue knows, whose name stands before the token at hand. */
    private Reason known() {
        if (tokens.knownBefore(Catalog.UNCLEAN) != 0) {
            traits |= Traits.RUNS_UNKNOWN_CODE;
        }
        return tokens.knownBefore(Catalog.VOLATILE) != 0 ? Reason.VOLATILE_FUNCTION : Reason.READ;
    }

    /** Whether the last word, which could be a function's name, is one of the grammar where it stands. */
    private boolean isGrammar() {
        int lead = tokens.lead();
        return switch (tokens.previousTerm()) {
            case OVER, FILTER, REPEATABLE -> Lexeme.token(lead) == Token.CLOSE;
            case BY ->
                Lexeme.term(lead) == Term.ORDER
                        || Lexeme.term(lead) == Term.GROUP
                        || Lexeme.term(lead) == Term.PARTITION;
            case ROLLUP -> Lexeme.term(lead) == Term.BY || (tokens.catalog() != Catalog.OFF && isInList());
            case SETS -> Lexeme.term(lead) == Term.GROUPING;
            case MATERIALIZED -> Lexeme.letters(lead) == Term.NOT; // which follows AS
            case FIRST -> Lexeme.term(lead) == Term.FETCH;
            case ZONE -> Lexeme.term(lead) == Term.TIME;
            case VARYING -> Lexeme.letters(lead) == Term.CHARACTER; // which may follow AS
            case SAMPLING -> Lexeme.term(lead) == Term.TABLESAMPLE;
            case JOIN, LIKE ->
                switch (Lexeme.token(lead)) {
                    case CLOSE -> nesting.closed() != Nesting.OPERATOR_NAME;
                    case STRING, NUMBER, PARAMETER, QUOTED, OTHER -> true;
                    case WORD -> Lexeme.term(lead) == Term.NOT || endsOperand(lead);
                    default -> false;
                };
            case OPERATOR -> true;
            // Two that stand in writes only, where a function of that name would cost nothing but a trait.
            case SET -> updates && Lexeme.call(lead) != Call.RESERVED;
            case CONFLICT -> Lexeme.term(lead) == Term.ON && !joins;
            default -> false;
        };
    }

    /** Whether a list of GROUP BY may go on here; in another list a function of the name would be in the catalogue. */
    private boolean isInList() {
        int lead = tokens.lead();
        return Lexeme.token(lead) == Token.COMMA || Lexeme.term(lead) == Term.DISTINCT;
    }

    /** Whether the word may be the last of an operand, and not one behind which an operand begins. */
    private static boolean endsOperand(int word) {
        return switch (Lexeme.term(word)) {
            case BY, ZONE, ESCAPE, FRAME -> false;
            default -> Lexeme.call(word) != Call.RESERVED;
        };
    }

    /**
     * Whether the name before the parenthesis cannot be that of a function, because of what stands before it: a type
     * with its modifiers, an alias with its columns, a table that is written to, a name of a WITH list with its columns.
     */
    private boolean isTypeOrAlias() {
        int lead = tokens.lead();
        if (Lexeme.token(lead) == Token.CAST || Lexeme.term(lead) == Term.AS || Lexeme.term(lead) == Term.INTO) {
            return true;
        }
        if (tokens.nameParts() > 1) {
            return false;
        }
        return switch (Lexeme.token(lead)) {
            // Two operands never stand side by side. DISTINCT ON (...) is no operand, nor is OPERATOR(...).
            case CLOSE -> nesting.closed() == Nesting.CALL || nesting.closed() == Nesting.QUERY;
            case STRING, NUMBER, PARAMETER -> true;
            case COMMA -> nesting.isWithList();
            case WORD ->
                nesting.isWithList() && (Lexeme.term(lead) == Term.WITH || Lexeme.term(lead) == Term.RECURSIVE);
            default -> false;
        };
    }

    private Reason setConfig() {
        if (settingCall.isOpen()) {
            return sessionSetting(); // one within the other
        }
        settingCall.begin(nesting.depth() + 1);
        return Reason.UTILITY;
    }

    private Reason comma() {
        if (settingCall.isAt(nesting.depth())) {
            if (settingCall.isNameRead() && tokens.previousToken() == Token.WORD) {
                traits |= Traits.RUNS_UNKNOWN_CODE; // a column: what it may be is for operators to decide
            }
            settingCall.comma();
        }
        return Reason.EMPTY;
    }

    private Reason close() {
        if (nesting.depth() == 0) {
            return notUnderstood();
        }
        Reason reason = Reason.EMPTY;
        if (settingCall.isAt(nesting.depth()) && !settingCall.close(tokens.previousTerm())) {
            reason = sessionSetting();
        }
        nesting.close();
        if (nesting.closed() == Nesting.OPERATOR_NAME && tokens.previousToken() != Token.OPERATOR) {
            reason = reason.or(unknownFunction()); // a function of that name after all
        }
        return reason;
    }
}
