package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.sql.Call;
import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.SqlScanner;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import java.util.Arrays;
import java.util.Objects;

/**
 * Confined to its event loop: says what a text of SQL is. One pass over at most {@value #LIMIT} bytes, no recursion, no
 * allocation but for its own two arrays, which grow up to a bound.
 *
 * <p>It is no parser: it proves that a statement reads only, and says {@link Target#PRIMARY} where it cannot. A text
 * that PostgreSQL refuses as a syntax error does nothing on any node, so only what PostgreSQL accepts matters. A query
 * is a read when it
 *
 * <ul>
 *   <li>begins with SELECT, WITH, VALUES, TABLE or a parenthesis, or is the EXPLAIN of such;
 *   <li>holds none of the words INSERT, UPDATE, DELETE, MERGE, INTO and no locking clause, except as a name behind AS
 *       or a dot;
 *   <li>calls no function but those known to be harmless: a name before a parenthesis that is neither a word of the
 *       grammar nor an alias with its columns is a call;
 *   <li>names nothing that begins with {@code pg_}, and not {@code information_schema}.
 * </ul>
 *
 * <p>What cannot be seen in the text is not seen: functions behind operators, casts, views, row security, domains, the
 * attribute notation {@code row.function}, and functions of users that have the name of a built-in; a sequence that is
 * read like a table ({@code last_value} gives it away, {@code *} does not); unlogged and foreign tables; a
 * {@code search_path} that leads to the system's schemas. For the session's state: what DO, CALL and functions of users
 * do inside.
 *
 * <p>What outlives the transaction in the session is told apart: settings, which can be {@linkplain
 * Reason#changesSettings() followed}, from what {@linkplain Reason#pins() ties} the client to its server. What ends such
 * a tie counts with what makes it: a text cannot show whether an advisory lock is left.
 */
public final class StatementClassifier {
    /** How much of a text is looked at, in bytes. */
    public static final int LIMIT = 256 * 1024;

    /** Parentheses nested deeper are not understood. */
    private static final int MAX_DEPTH = 512;

    private static final byte[] NOTHING = {};

    /** A pair of parentheses that is nothing of the following. */
    private static final byte GROUP = 0;
    /** Around the arguments of a function. */
    private static final byte CALL = 1;
    /** Around a query. */
    private static final byte QUERY = 2;
    /** Behind the word OPERATOR. */
    private static final byte OPERATOR_NAME = 3;
    /** Added to a level: the names of a WITH list are read at the moment. */
    private static final byte WITH_LIST = 8;

    /** What is read is the definition of a view, a policy or a function, and no client's text. */
    private final boolean stored;

    private final SqlScanner scanner = new SqlScanner();
    private final BatchFold texts = new BatchFold();
    private final byte[] levels = new byte[MAX_DEPTH];
    private byte[] copy = NOTHING;
    /** So much of the copy may still hold what clients said. */
    private int copied;

    // Lexemes: the one at hand and the one before it.
    private int current = Lexeme.NOTHING;
    private int previous = Lexeme.NOTHING;

    // The last name: how many parts are joined by dots; lexemes of what stands before the last dot and before it all.
    private int nameParts;
    private int qualifier = Lexeme.NOTHING;
    private int lead = Lexeme.NOTHING;
    /** The name may be one of PostgreSQL's own; what follows it decides. */
    private boolean systemName;
    /** A relation of the system's stood in the statement. */
    private boolean namesCatalog;

    private int depth;
    /** What the last closing parenthesis closed. */
    private byte closed;
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

    /** Statements of the text, those that are empty apart, and what the last of them is about a transaction. */
    private int statements;

    private TransactionCommand command = TransactionCommand.NONE;

    // The COMMIT or ROLLBACK that the text begins with, if more follows: where its first word begins, and behind its
    // semicolon.
    private int endBegin;
    private int endBehind;

    // What the catalogue knows: of the name at hand, of the one before it, and of all names in the statement.
    private Catalog catalog = Catalog.OFF;
    private int known;
    private int knownBefore;
    private int knownOfAll;
    /** A name stood in the statement, and no name is certain. */
    private boolean namesAnything;

    // The set_config( whose arguments are read: their level, 0 for none; the commas on it; what its last one holds.
    private int settingDepth;
    private int settingCommas;
    private int settingTokens;

    public StatementClassifier() {
        this(false);
    }

    /**
     * {@code stored} for what the database itself holds: who defines a view asks {@code current_setting} for what the
     * client has set.
     */
    StatementClassifier(boolean stored) {
        this.stored = stored;
    }

    /** The same for a text that can be trusted, of a database whose catalogue nobody looks into. */
    public Reason classify(ByteBuf sql, int start, int end) {
        return classify(sql, start, end, true, Catalog.OFF);
    }

    /**
     * What the text in {@code [start, end)} is, without its terminating zero. The reader index of the buffer plays no
     * part and stays; nothing of the buffer is kept.
     *
     * <p>Of several statements: READ if all are; BEGIN READ ONLY or plain BEGIN if that comes first and nothing but
     * reads, modes and ends of transactions follow; else the most telling reason of all.
     *
     * @param safeText false if the client's encoding is one of those in which a byte below 128 can be part of a longer
     *     character (SJIS, BIG5, GBK, GB18030, UHC, JOHAB, SHIFT_JIS_2004), or {@code standard_conforming_strings} is
     *     off: then the answer is {@link Reason#UNSAFE_TEXT} at least, and one that {@linkplain Reason#pins() pins}
     *     where a word that may leave state in the session stands anywhere, in a string too, but for the SET or RESET
     *     that the text begins with
     * @param catalog what the names mean of the database that the text is for
     */
    public Reason classify(ByteBuf sql, int start, int end, boolean safeText, Catalog catalog) {
        Objects.checkFromToIndex(start, Math.max(start, end), sql.capacity());
        traits = 0;
        this.catalog = catalog;
        int length = Math.max(0, Math.min(end - start, LIMIT)); // a text without its zero may end before it begins
        if (sql.hasArray()) {
            int from = sql.arrayOffset() + start;
            over(sql.array(), from, from + length);
        } else {
            if (copy.length < length) {
                copy = new byte[Math.min(LIMIT, Math.max(1024, Integer.highestOneBit(length) << 1))];
            }
            sql.getBytes(start, copy, 0, length);
            copied = Math.max(copied, length);
            over(copy, 0, length);
        }
        int from = scanner.position();
        Reason reason = text();
        endBegin -= from;
        endBehind -= from;
        if (!safeText) {
            traits &= ~Traits.ONLY_SETTINGS;
            scanner.rewind();
            command = TransactionCommand.NONE;
            endBehind = -1;
            Reason found = anywhere(); // what pins may hide behind a change of settings too
            reason = reason.pins() ? reason : reason.or(found);
        }
        scanner.clear();
        if (length < end - start) {
            traits &= ~Traits.ONLY_SETTINGS;
            traits |= Traits.RUNS_UNKNOWN_CODE | Traits.CHANGES_SESSION;
            reason = reason.or(Reason.TOO_LONG);
            command = TransactionCommand.NONE;
            endBehind = -1;
        }
        return reason;
    }

    /** Nothing of what was classified is left in memory: to be called now and then, for each time would cost too much. */
    public void wipe() {
        Arrays.fill(copy, 0, copied, (byte) 0);
        copied = 0;
    }

    private void over(byte[] text, int start, int end) {
        scanner.over(text, start, end);
        RoutingHint hint = RoutingHint.at(text, start, end);
        if (hint != null) {
            traits |= switch (hint) {
                case AUTO -> 0;
                case PRIMARY -> Traits.HINTS_PRIMARY;
                case REPLICA -> Traits.HINTS_REPLICA;
            };
        }
    }

    /** The {@link Traits} of the text that was classified last. */
    public int traits() {
        return traits;
    }

    /** What the text that was classified last is about a transaction, if it is nothing else and can be trusted. */
    public TransactionCommand command() {
        return statements == 1 ? command : TransactionCommand.NONE;
    }

    /**
     * Where that word begins in the text which was classified last that ends the transaction in front of all else, from its
     * beginning; only where there is one ({@link #endBehind}).
     */
    public int endBegin() {
        return endBegin;
    }

    /** Where it goes on behind the semicolon of that statement; negative where there is none such, or it stands alone. */
    public int endBehind() {
        return statements > 1 ? endBehind : -1;
    }

    private Reason text() {
        texts.clear();
        boolean onlySettings = true;
        boolean endsTransaction = false;
        statements = 0;
        command = TransactionCommand.NONE;
        endBehind = -1;
        do {
            int from = scanner.position();
            beginStatement();
            statements += ended() ? 0 : 1;
            onlySettings &= ended() || term() == Term.SET || term() == Term.RESET || term() == Term.SHOW;
            Reason statement = statement();
            endsTransaction |= statement == Reason.TRANSACTION_END;
            if (statements == 1 && statement == Reason.TRANSACTION_END && command.ends()) {
                endBegin = scanner.begin(from);
                endBehind = scanner.position();
            }
            texts.add(statement);
        } while (token() == Token.SEMICOLON);
        if (onlySettings && (traits & Traits.RUNS_UNKNOWN_CODE) == 0) {
            traits |= Traits.ONLY_SETTINGS;
        }
        if (endsTransaction && statements > 1) {
            traits |= Traits.ENDS_TRANSACTION;
        }
        return texts.reason();
    }

    /** The quotes are not what they seem, so each word counts wherever it stands. */
    private Reason anywhere() {
        traits |= Traits.RUNS_UNKNOWN_CODE;
        Reason reason = Reason.UNSAFE_TEXT;
        boolean first = false; // the first statement was seen already, for nothing can hide its beginning
        boolean behindComment = false; // a comment may stand before a statement, and nobody knows where it ends
        for (int found = scanner.nextAnywhere(); found != Lexeme.NOTHING; found = scanner.nextAnywhere()) {
            switch (Lexeme.token(found)) {
                case SEMICOLON -> {
                    first = true;
                    behindComment = false;
                }
                case OTHER -> behindComment |= first;
                default -> {
                    boolean begins = first || behindComment;
                    traits |= traitsOfName(found);
                    if (begins) {
                        traits |= traitsOfWord(Lexeme.term(found));
                    }
                    if (leavesState(found) || (begins && changesSession(Lexeme.term(found)))) {
                        reason = Reason.SESSION_DOUBT;
                    }
                    first = false;
                }
            }
        }
        return reason;
    }

    private void beginStatement() {
        current = Lexeme.NOTHING;
        systemName = false;
        namesCatalog = false;
        depth = 0;
        levels[0] = QUERY;
        closed = GROUP;
        doubted = false;
        updates = false;
        joins = false;
        mayCascade = false;
        settingDepth = 0;
        knownOfAll = 0;
        namesAnything = false;
        advance();
    }

    private void advance() {
        int next = scanner.next();
        knownBefore = known;
        known = 0;
        if (Lexeme.isName(next)) {
            look(next);
            if (token() == Token.DOT) {
                next = Lexeme.asName(next);
                nameParts++;
            } else {
                if (term() == Term.AS) {
                    next = Lexeme.asName(next);
                }
                nameParts = 1;
                qualifier = Lexeme.NOTHING;
                lead = current;
            }
        } else if (Lexeme.token(next) == Token.DOT) {
            qualifier = current;
        } else if (Lexeme.token(next) == Token.OPERATOR && catalog.hasOperators()) {
            knownOfAll |= scanner.lookOperator(catalog.names());
        }
        previous = current;
        current = next;
    }

    private void look(int name) {
        known = scanner.look(catalog.names());
        knownOfAll |= known & Catalog.EVERYWHERE;
        namesAnything |= name == Lexeme.UNKNOWN_WORD || Lexeme.token(name) != Token.WORD;
    }

    private Token token() {
        return Lexeme.token(current);
    }

    /** What the word at hand means; NONE if it is no word. */
    private Term term() {
        return Lexeme.term(current);
    }

    private boolean ended() {
        return Lexeme.endsStatement(current);
    }

    private Reason statement() {
        return switch (token()) {
            case SEMICOLON, END -> Reason.EMPTY;
            case OPEN -> body(Reason.READ);
            case WORD -> beginsWith(term());
            default -> body(Reason.NOT_UNDERSTOOD);
        };
    }

    private Reason beginsWith(Term first) {
        return switch (first) {
            case SELECT, WITH, VALUES, TABLE -> body(Reason.READ);
            case EXPLAIN -> explain();
            case SHOW -> show();
            case BEGIN, START -> begin();
            case COMMIT, END, ABORT, ROLLBACK -> end();
            case SET -> set();
            case RESET -> reset();
            case CREATE -> create();
            case DECLARE -> declare();
            case PREPARE -> prepare();
            case LISTEN -> body(Reason.LISTEN, Traits.CHANGES_SESSION);
            case LOAD -> body(Reason.SESSION_STATE, Traits.RUNS_UNKNOWN_CODE);
            case COPY -> body(Reason.COPY, Traits.RUNS_UNKNOWN_CODE);
            case ALTER -> alter();
            case RUNNING, MAINTAINING, ANALYZE -> body(Reason.WRITE, Traits.RUNS_UNKNOWN_CODE);
            case EXECUTE -> body(Reason.UTILITY, Traits.RUNS_UNKNOWN_CODE);
            case NOTIFY -> body(Reason.WRITE, Traits.NOTIFIES);
            case DISCARD -> body(Reason.UTILITY, Traits.CHANGES_SESSION | Traits.ENDS_STATEMENTS);
            case DEALLOCATE -> body(Reason.UTILITY, Traits.ENDS_STATEMENTS);
            case UNLISTEN -> body(Reason.UTILITY, Traits.CHANGES_SESSION);
            case LOCK -> body(Reason.LOCKING_READ);
            case CHECKPOINT -> body(Reason.NODE_LOCAL);
            case WRITING -> {
                mayCascade = true;
                yield body(Reason.WRITE, ofDefinitions());
            }
            case INSERT, UPDATE, DELETE, MERGE -> body(Reason.WRITE);
            case UTILITY, FETCH -> body(Reason.UTILITY);
            default -> body(Reason.NOT_UNDERSTOOD);
        };
    }

    /** EXPLAIN [ANALYZE] [VERBOSE] statement, or EXPLAIN (options) statement: what the statement is, run or not. */
    private Reason explain() {
        advance();
        if (token() == Token.OPEN) {
            advance();
            if (token() == Token.OPEN || isQuery()) {
                push(QUERY);
                return body(Reason.READ);
            }
            while (token() != Token.CLOSE && !ended()) {
                advance();
            }
            advance();
        } else {
            while (term() == Term.ANALYZE || term() == Term.VERBOSE) {
                advance();
            }
        }
        previous = Lexeme.NOTHING; // the statement begins here
        if (token() == Token.WORD && term() == Term.EXPLAIN) {
            return body(Reason.NOT_UNDERSTOOD); // and no recursion, however often the word stands there
        }
        Reason explained = ended() ? notUnderstood() : statement();
        command = TransactionCommand.NONE;
        return explained;
    }

    private boolean isQuery() {
        return term() == Term.SELECT || term() == Term.WITH || term() == Term.VALUES || term() == Term.TABLE;
    }

    /** Settings can differ from node to node; those that follow the client, or that are fixed, do not. */
    private Reason show() {
        advance();
        return switch (Lexeme.letters(current)) {
            case REPORTED_SETTING, FIXED_SETTING, TIME -> body(Reason.READ);
            default -> body(Reason.NODE_LOCAL);
        };
    }

    /** BEGIN [WORK | TRANSACTION] or START TRANSACTION, with modes or without. */
    private Reason begin() {
        boolean start = term() == Term.START;
        advance();
        if (term() == Term.TRANSACTION || (term() == Term.WORK && !start)) {
            advance();
        } else if (start) {
            return body(Reason.NOT_UNDERSTOOD);
        }
        return modes(
                start ? TransactionCommand.START : TransactionCommand.BEGIN,
                Reason.TRANSACTION,
                Reason.READ_ONLY_TRANSACTION);
    }

    /** Modes to the end of the statement, between which commas may stand or not. */
    private Reason modes(TransactionCommand understood, Reason plain, Reason declared) {
        Reason reason = plain;
        while (!ended()) {
            Reason mode = mode();
            if (mode == Reason.NOT_UNDERSTOOD) {
                return body(mode);
            }
            // A standby refuses READ WRITE even where READ ONLY follows.
            reason = mode == Reason.READ_ONLY_TRANSACTION && reason == plain ? declared : reason.or(mode);
            advance();
            if (token() == Token.COMMA) {
                advance();
                if (ended()) {
                    return body(Reason.NOT_UNDERSTOOD);
                }
            }
        }
        if (token() == Token.BROKEN) {
            return notUnderstood();
        }
        if (reason == plain || reason == declared) {
            command = understood;
        }
        return reason;
    }

    /** What the mode is that begins at the token at hand, up to its last word; EMPTY for one that changes no target. */
    private Reason mode() {
        switch (term()) {
            case ISOLATION -> {
                advance();
                if (term() != Term.LEVEL) {
                    return Reason.NOT_UNDERSTOOD;
                }
                advance();
                if (term() == Term.SERIALIZABLE) {
                    return Reason.SERIALIZABLE;
                }
                if (term() != Term.REPEATABLE && term() != Term.READ) {
                    return Reason.NOT_UNDERSTOOD;
                }
                traits |= term() == Term.REPEATABLE ? Traits.KEEPS_SNAPSHOT : 0;
                Term second = term() == Term.REPEATABLE ? Term.READ : Term.COMMITTED;
                advance();
                return term() == second ? Reason.EMPTY : Reason.NOT_UNDERSTOOD;
            }
            case READ -> {
                advance();
                return term() == Term.ONLY
                        ? Reason.READ_ONLY_TRANSACTION
                        : term() == Term.WRITE ? Reason.READ_WRITE_TRANSACTION : Reason.NOT_UNDERSTOOD;
            }
            case NOT -> {
                advance();
                return term() == Term.DEFERRABLE ? Reason.EMPTY : Reason.NOT_UNDERSTOOD;
            }
            case DEFERRABLE -> {
                return Reason.EMPTY;
            }
            default -> {
                return Reason.NOT_UNDERSTOOD;
            }
        }
    }

    private Reason end() {
        boolean commits = term() == Term.COMMIT || term() == Term.END;
        advance();
        if (term() == Term.PREPARED) {
            return body(Reason.WRITE);
        }
        if (term() == Term.WORK || term() == Term.TRANSACTION) {
            advance();
        }
        if (term() == Term.TO) {
            return body(Reason.UTILITY); // a savepoint
        }
        if (ended() && token() != Token.BROKEN) {
            command = commits ? TransactionCommand.COMMIT : TransactionCommand.ROLLBACK;
        }
        return ended() || term() == Term.AND ? body(Reason.TRANSACTION_END) : body(Reason.NOT_UNDERSTOOD);
    }

    private Reason set() {
        advance();
        if (term() == Term.TRANSACTION || term() == Term.CONSTRAINTS || term() == Term.LOCAL) {
            boolean ofTransaction = term() == Term.TRANSACTION;
            advance();
            if (token() == Token.DOT || token() == Token.OPERATOR || term() == Term.TO) {
                return body(sessionSetting()); // SET local.x = 1: not reserved, so the name of a setting
            }
            if (ofTransaction && beginsMode()) {
                return modes(TransactionCommand.MODES, Reason.TRANSACTION_MODES, Reason.READ_ONLY_MODE);
            }
            return body(Reason.UTILITY); // PostgreSQL takes it back at the end of the transaction
        }
        traits |= Traits.CHANGES_SESSION;
        if (term() == Term.SESSION) {
            advance();
            if (term() == Term.CHARACTERISTICS) {
                return characteristics();
            }
            if (term() == Term.AUTHORIZATION) {
                return body(Reason.SESSION_ROLE);
            }
        }
        return setting();
    }

    private boolean beginsMode() {
        return switch (term()) {
            case ISOLATION, READ, NOT, DEFERRABLE -> true;
            default -> false;
        };
    }

    private Reason reset() {
        advance();
        if (term() == Term.TRANSACTION) {
            advance();
            return body(token() == Token.DOT || ended() ? sessionSetting() : Reason.UTILITY);
        }
        traits |= Traits.CHANGES_SESSION;
        if (term() == Term.SESSION) {
            return body(Reason.SESSION_ROLE);
        }
        return setting();
    }

    /** At the name of a setting that is set or reset for the session. */
    private Reason setting() {
        return switch (Lexeme.letters(current)) {
            case REPORTED_SETTING, NAMES -> {
                advance();
                // A dot behind the name makes it another: SET timezone.x
                yield body(token() == Token.DOT ? Reason.SESSION_SETTING : Reason.REPORTED_SETTING);
            }
            case TIME -> {
                advance();
                yield body(term() == Term.ZONE ? Reason.REPORTED_SETTING : Reason.SESSION_SETTING);
            }
            case ROLE -> body(Reason.SESSION_ROLE);
            default -> body(Reason.SESSION_SETTING);
        };
    }

    /** SET SESSION CHARACTERISTICS AS TRANSACTION modes: only the one about reading is reported. */
    private Reason characteristics() {
        boolean reported = true;
        advance();
        while (!ended()) {
            switch (Lexeme.letters(current)) {
                case AS, TRANSACTION, READ, ONLY, WRITE -> {}
                default -> reported &= token() == Token.COMMA;
            }
            advance();
        }
        return reported ? Reason.REPORTED_SETTING : Reason.SESSION_SETTING;
    }

    private Reason create() {
        advance();
        while (term() == Term.OR || term() == Term.REPLACE || term() == Term.GLOBAL || term() == Term.LOCAL) {
            advance();
        }
        if (term() == Term.EXTENSION) {
            return body(Reason.WRITE, Traits.RUNS_UNKNOWN_CODE);
        }
        return body(term() == Term.TEMPORARY ? Reason.TEMPORARY_OBJECT : Reason.WRITE, ofDefinitions());
    }

    private Reason alter() {
        advance();
        return body(Reason.WRITE, term() == Term.EXTENSION ? Traits.RUNS_UNKNOWN_CODE : ofDefinitions());
    }

    private int ofDefinitions() {
        return catalog.watchesDefinitions() ? Traits.RUNS_UNKNOWN_CODE : 0;
    }

    private Reason declare() {
        Reason reason = Reason.UTILITY;
        while (term() != Term.FOR && !ended()) {
            if (term() == Term.HOLD && Lexeme.term(previous) == Term.WITH) {
                reason = Reason.HOLD_CURSOR;
            }
            advance();
        }
        return body(reason);
    }

    private Reason prepare() {
        advance();
        boolean twoPhase = term() == Term.TRANSACTION;
        advance();
        return body(twoPhase && token() == Token.STRING ? Reason.WRITE : Reason.SQL_PREPARE);
    }

    private Reason body(Reason first, int traitsOfFirst) {
        traits |= traitsOfFirst;
        return body(first);
    }

    /** From the token at hand to the end of the statement: what its first words say, or worse. */
    private Reason body(Reason first) {
        Reason reason = first == Reason.NOT_UNDERSTOOD ? notUnderstood() : first;
        doubted = first == Reason.NOT_UNDERSTOOD;
        for (; !ended(); advance()) {
            if (systemName) {
                reason = reason.or(systemName());
            }
            if (current != Lexeme.UNKNOWN_WORD) {
                Reason found = look();
                if (found != Reason.EMPTY) {
                    reason = reason.or(found);
                }
            }
            settingTokens++;
        }
        if (systemName) {
            reason = reason.or(systemName());
        }
        if (settingDepth > 0) {
            reason = reason.or(sessionSetting());
        }
        if (namesCatalog && reason == Reason.WRITE) {
            traits |= Traits.RUNS_UNKNOWN_CODE; // the rule of UPDATE pg_settings calls set_config
        }
        if (knownOfAll != 0 || (namesAnything && !catalog.isFresh())) {
            reason = reason.or(names(reason));
        }
        return token() == Token.BROKEN ? reason.or(notUnderstood()) : reason;
    }

    /** What the catalogue says of the names in a statement that is a {@code read} or something else. */
    private Reason names(Reason read) {
        boolean writes = read.target() == Target.PRIMARY;
        if ((knownOfAll & Catalog.UNCLEAN_READ) != 0 || (writes && (knownOfAll & Catalog.UNCLEAN_WRITE) != 0)) {
            traits |= Traits.RUNS_UNKNOWN_CODE;
        }
        Reason reason = Reason.EMPTY;
        if (namesAnything && !catalog.isFresh()) {
            reason = Reason.NO_CATALOG;
            if (read.compareTo(Reason.UTILITY) < 0 || read == Reason.WRITE) { // settings and the like run nothing
                traits |= Traits.RUNS_UNKNOWN_CODE;
            }
        }
        if ((knownOfAll & Catalog.OPAQUE) != 0) {
            reason = reason.or(Reason.OPAQUE_RELATION);
        }
        if ((knownOfAll & Catalog.UNLOGGED) != 0) {
            reason = reason.or(Reason.UNLOGGED_TABLE);
        }
        return (knownOfAll & Catalog.SEQUENCE) != 0 ? reason.or(Reason.SEQUENCE) : reason;
    }

    private Reason notUnderstood() {
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
        return switch (token()) {
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
            traits |= traitsOfWord(term());
            if (changesSession(term())) {
                return Reason.SESSION_DOUBT;
            }
        }
        return switch (term()) {
            case NONE, LAST_VALUE, INFORMATION_SCHEMA, PG_CATALOG, PG_TEMP -> name();
            case WITH -> {
                if (Lexeme.token(previous) == Token.OPEN || Lexeme.token(previous) == Token.END) {
                    level(QUERY | WITH_LIST);
                }
                yield Reason.EMPTY;
            }
            case SELECT, VALUES, TABLE -> {
                level(Lexeme.token(previous) == Token.OPEN ? QUERY : levelKind());
                yield Reason.EMPTY;
            }
            case INSERT, DELETE, MERGE -> Reason.WRITE;
            case UPDATE -> {
                boolean locks = Lexeme.term(previous) == Term.FOR || Lexeme.term(previous) == Term.KEY;
                updates |= !locks;
                yield locks ? Reason.LOCKING_READ : Reason.WRITE;
            }
            case JOIN -> {
                joins = true;
                yield Reason.EMPTY;
            }
            case NO, SHARE, KEY -> Lexeme.term(previous) == Term.FOR ? Reason.LOCKING_READ : Reason.EMPTY;
            case INTO -> {
                selectInto = Lexeme.term(previous) != Term.INSERT && Lexeme.term(previous) != Term.MERGE;
                traits |= selectInto ? ofDefinitions() : 0;
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
        return Lexeme.term(previous) == Term.LOCAL
                || Lexeme.term(previous) == Term.GLOBAL
                || (Lexeme.term(previous) == Term.INTO && selectInto);
    }

    /** A part of a name: whether it is one of PostgreSQL's own depends on the next token. */
    private Reason name() {
        Term named = Lexeme.letters(current);
        systemName |= Lexeme.isSystemName(current) || named == Term.LAST_VALUE || named == Term.INFORMATION_SCHEMA;
        if (named == Term.EXECUTE && Lexeme.term(previous) == Term.AS) {
            traits |= Traits.RUNS_UNKNOWN_CODE; // CREATE TABLE x AS EXECUTE
        }
        if (!doubted) {
            return Reason.EMPTY;
        }
        traits |= traitsOfName(current);
        return leavesState(current) ? Reason.SESSION_DOUBT : Reason.EMPTY;
    }

    /** At the token behind a name that may be PostgreSQL's own. */
    private Reason systemName() {
        if (token() == Token.OPEN) {
            return Reason.EMPTY; // a function, or an alias: open() looks at it, and ends the doubt
        }
        if (token() == Token.STRING) {
            systemName = false; // a type, in front of its literal
            return Reason.EMPTY;
        }
        if (Lexeme.token(previous) == Token.DOT) {
            systemName = Lexeme.isName(current); // behind pg_catalog: a name, or the sign of an operator
            return Reason.EMPTY;
        }
        Term named = Lexeme.letters(previous);
        systemName = token() == Token.DOT && named == Term.PG_CATALOG;
        if (named == Term.PG_TEMP) {
            return Reason.TEMPORARY_OBJECT;
        }
        if (systemName || Lexeme.token(lead) == Token.CAST || Lexeme.term(lead) == Term.AS) {
            return Reason.EMPTY; // what it qualifies comes next; a type; an alias
        }
        if (named == Term.LAST_VALUE) {
            return Reason.SEQUENCE;
        }
        namesCatalog = true;
        return Reason.SYSTEM_CATALOG;
    }

    private Reason open() {
        opened = GROUP;
        Reason reason = Reason.EMPTY;
        switch (Lexeme.token(previous)) {
            case WORD, QUOTED -> reason = behindName();
            case ESCAPED -> {
                opened = CALL;
                traits |= Traits.RUNS_UNKNOWN_CODE | Traits.CHANGES_SESSION;
                reason = Reason.SESSION_DOUBT; // a call of no one knows what
            }
            case CLOSE -> level(levelKind()); // WITH a AS (...) (SELECT ...) ends the list
            default -> {}
        }
        systemName = false;
        return push(opened) ? reason : reason.or(notUnderstood());
    }

    /** At the parenthesis behind a name: says what it opens, and what is called if it is a call. */
    private Reason behindName() {
        Call call = Lexeme.call(previous);
        if (nameParts == 1 && Lexeme.token(previous) == Token.WORD && (call == Call.RESERVED || isGrammar())) {
            opened = Lexeme.term(previous) == Term.OPERATOR ? OPERATOR_NAME : GROUP;
            // A function of users may have the name of a word of the grammar: then this may be either.
            return call == Call.RESERVED || (knownBefore & Catalog.FUNCTION) == 0 ? Reason.EMPTY : known();
        }
        if (isTypeOrAlias()) {
            return Reason.EMPTY;
        }
        opened = CALL;
        boolean system = nameParts == 2 && Lexeme.letters(qualifier) == Term.PG_CATALOG;
        boolean ofUsers = nameParts > 1 && !system;
        boolean isKnown = (knownBefore & (system ? Catalog.SYSTEM_FUNCTION : Catalog.FUNCTION)) != 0;
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
            case SEQUENCE_MEMORY, CHANNELS, NOTIFY, TRANSACTION_LOCK -> traits |= traitsOfCall(call);
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
            case NODE_LOCAL, CHANNELS, NOTIFY -> users.or(Reason.NODE_LOCAL);
            case CURRENT_SETTING -> stored || scanner.isDottedLiteralNext() ? users : users.or(Reason.NODE_LOCAL);
            default -> {
                if (isKnown || (knownBefore & Catalog.IMMUTABLE) != 0) {
                    yield users;
                }
                Reason unknown = unknownFunction();
                yield systemName ? Reason.NODE_LOCAL : unknown;
            }
        };
    }

    /** What a function is that the catalogue knows, whose name stands before the token at hand. */
    private Reason known() {
        if ((knownBefore & Catalog.UNCLEAN) != 0) {
            traits |= Traits.RUNS_UNKNOWN_CODE;
        }
        return (knownBefore & Catalog.VOLATILE) != 0 ? Reason.VOLATILE_FUNCTION : Reason.READ;
    }

    /** Whether the last word, which could be a function's name, is one of the grammar where it stands. */
    private boolean isGrammar() {
        return switch (Lexeme.term(previous)) {
            case OVER, FILTER, REPEATABLE -> Lexeme.token(lead) == Token.CLOSE;
            case BY ->
                Lexeme.term(lead) == Term.ORDER
                        || Lexeme.term(lead) == Term.GROUP
                        || Lexeme.term(lead) == Term.PARTITION;
            case ROLLUP -> Lexeme.term(lead) == Term.BY || (catalog != Catalog.OFF && isInList());
            case SETS -> Lexeme.term(lead) == Term.GROUPING;
            case MATERIALIZED -> Lexeme.letters(lead) == Term.NOT; // which follows AS
            case FIRST -> Lexeme.term(lead) == Term.FETCH;
            case ZONE -> Lexeme.term(lead) == Term.TIME;
            case VARYING -> Lexeme.letters(lead) == Term.CHARACTER; // which may follow AS
            case SAMPLING -> Lexeme.term(lead) == Term.TABLESAMPLE;
            case JOIN, LIKE ->
                switch (Lexeme.token(lead)) {
                    case CLOSE -> closed != OPERATOR_NAME;
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
        if (Lexeme.token(lead) == Token.CAST || Lexeme.term(lead) == Term.AS || Lexeme.term(lead) == Term.INTO) {
            return true;
        }
        if (nameParts > 1) {
            return false;
        }
        return switch (Lexeme.token(lead)) {
            // Two operands never stand side by side. DISTINCT ON (...) is no operand, nor is OPERATOR(...).
            case CLOSE -> closed == CALL || closed == QUERY;
            case STRING, NUMBER, PARAMETER -> true;
            case COMMA -> isWithList();
            case WORD -> isWithList() && (Lexeme.term(lead) == Term.WITH || Lexeme.term(lead) == Term.RECURSIVE);
            default -> false;
        };
    }

    /** set_config(name, value, true) ends with the transaction; any other third argument is taken for false. */
    private Reason setConfig() {
        if (settingDepth > 0) {
            return sessionSetting(); // one within the other
        }
        settingDepth = depth + 1;
        settingCommas = 0;
        settingTokens = 0;
        return Reason.UTILITY;
    }

    private Reason comma() {
        if (depth == settingDepth && depth > 0) {
            settingCommas++;
            settingTokens = -1; // the comma itself is counted yet
        }
        return Reason.EMPTY;
    }

    private Reason close() {
        Reason reason = Reason.EMPTY;
        if (depth == 0) {
            return notUnderstood();
        }
        if (depth == settingDepth) {
            boolean local = settingCommas == 2 && settingTokens == 1 && Lexeme.term(previous) == Term.TRUE;
            reason = local ? Reason.EMPTY : sessionSetting();
            settingDepth = 0;
        }
        closed = depth < MAX_DEPTH ? (byte) (levels[depth] & ~WITH_LIST) : GROUP;
        if (closed == OPERATOR_NAME && Lexeme.token(previous) != Token.OPERATOR) {
            reason = reason.or(unknownFunction()); // a function of that name after all
        }
        depth--;
        return reason;
    }

    /** Begins a level; false if there are too many. */
    private boolean push(byte kind) {
        depth++;
        level(kind);
        doubted |= depth >= MAX_DEPTH;
        return depth < MAX_DEPTH;
    }

    private void level(int kind) {
        if (depth < MAX_DEPTH) {
            levels[depth] = (byte) kind;
        }
    }

    private int levelKind() {
        return depth < MAX_DEPTH ? levels[depth] & ~WITH_LIST : GROUP;
    }

    private boolean isWithList() {
        return depth < MAX_DEPTH && (levels[depth] & WITH_LIST) != 0;
    }

    /** Words that begin a statement which changes the session. */
    private static boolean changesSession(Term term) {
        return switch (term) {
            case SET, RESET, PREPARE, LISTEN, LOAD, HOLD, TEMPORARY -> true;
            default -> false;
        };
    }

    /** What such a word, which begins a statement, adds. */
    private static int traitsOfWord(Term term) {
        return switch (term) {
            case SET, RESET, DISCARD, LISTEN, UNLISTEN -> Traits.CHANGES_SESSION;
            case NOTIFY -> Traits.NOTIFIES;
            default -> 0;
        };
    }

    /** What a name adds where any name may be that of a function that is called. */
    private static int traitsOfName(int name) {
        Call call = Lexeme.call(name);
        return call == Call.SET_CONFIG ? Traits.CHANGES_SESSION : traitsOfCall(call);
    }

    private static int traitsOfCall(Call call) {
        return switch (call) {
            case SEQUENCE_MEMORY -> Traits.ASKS_SEQUENCE_MEMORY;
            case CHANNELS -> Traits.ASKS_CHANNELS;
            case NOTIFY -> Traits.NOTIFIES;
            case TRANSACTION_LOCK -> Traits.LOCKS_TRANSACTION;
            default -> 0;
        };
    }

    /** Words that change the session in the midst of a statement. */
    private static boolean leavesState(int name) {
        return switch (Lexeme.call(name)) {
            case SESSION_LOCK, SESSION_STATE, SET_CONFIG -> true;
            default ->
                switch (Lexeme.letters(name)) {
                    case HOLD, TEMPORARY, PG_TEMP -> true;
                    default -> false;
                };
        };
    }
}
