package io.plenum.routing;

import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import java.nio.charset.StandardCharsets;

/**
 * Confined to its event loop: what a statement is by its first words. Those that are about transactions and settings are read to
 * their end here; of the others {@link StatementBody} says whether the rest makes it worse.
 */
final class StatementStart {
    // What all databases of a cluster share; as words of no other statement they mean nothing to us.
    private static final byte[] DATABASE = "database".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ROLE = "role".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] USER = "user".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] GROUP = "group".getBytes(StandardCharsets.US_ASCII);

    private final CatalogCursor tokens;
    private final StatementBody body;

    private int traits;
    private TransactionCommand command = TransactionCommand.NONE;

    StatementStart(CatalogCursor tokens, boolean stored) {
        this.tokens = tokens;
        this.body = new StatementBody(tokens, stored);
    }

    /** The statement that begins at the token at hand, to its end. */
    Reason read() {
        traits = 0;
        command = TransactionCommand.NONE;
        body.clear();
        return statement();
    }

    /** The {@link Traits} of the statement that was read last. */
    int traits() {
        return traits | body.traits();
    }

    /** What that statement is about a transaction, if it is nothing else. */
    TransactionCommand command() {
        return command;
    }

    private Reason statement() {
        tokens.setEvaluates(tokens.token() != Token.WORD || evaluates(tokens.term()));
        return switch (tokens.token()) {
            case SEMICOLON, END -> Reason.EMPTY;
            case OPEN -> rest(Reason.READ);
            case WORD -> beginsWith(tokens.term());
            default -> rest(Reason.NOT_UNDERSTOOD);
        };
    }

    private static boolean evaluates(Term first) {
        return switch (first) {
            case SHOW, SET, RESET, DISCARD, DEALLOCATE, LISTEN, UNLISTEN, NOTIFY, LOCK, CHECKPOINT -> false;
            case BEGIN, START, COMMIT, END, ABORT, ROLLBACK -> false; // triggers that wait count where they were woken
            case UTILITY, FETCH -> false; // nor does a cursor evaluate what was not declared
            default -> true;
        };
    }

    private Reason beginsWith(Term first) {
        return switch (first) {
            case SELECT, WITH, VALUES, TABLE -> rest(Reason.READ);
            case EXPLAIN -> explain();
            case SHOW -> show();
            case BEGIN, START -> begin();
            case COMMIT, END, ABORT, ROLLBACK -> end();
            case SET -> set();
            case RESET -> reset();
            case CREATE -> create();
            case DECLARE -> declare();
            case PREPARE -> prepare();
            case LISTEN -> rest(Reason.LISTEN, Traits.CHANGES_SESSION);
            case LOAD -> rest(Reason.SESSION_STATE, Traits.RUNS_UNKNOWN_CODE);
            case COPY -> rest(Reason.COPY, Traits.RUNS_UNKNOWN_CODE);
            case ALTER -> alter();
            case RUNNING, MAINTAINING, ANALYZE -> rest(Reason.WRITE, Traits.RUNS_UNKNOWN_CODE);
            case EXECUTE -> rest(Reason.UTILITY, Traits.RUNS_UNKNOWN_CODE);
            case NOTIFY -> rest(Reason.WRITE, Traits.NOTIFIES);
            case DISCARD -> rest(Reason.UTILITY, Traits.CHANGES_SESSION | Traits.ENDS_STATEMENTS);
            case DEALLOCATE -> rest(Reason.UTILITY, Traits.ENDS_STATEMENTS);
            case UNLISTEN -> rest(Reason.UTILITY, Traits.CHANGES_SESSION);
            case LOCK -> rest(Reason.LOCKING_READ);
            case CHECKPOINT -> rest(Reason.NODE_LOCAL);
            case WRITING -> {
                body.setMayCascade();
                tokens.advance();
                noteGlobals();
                yield rest(Reason.WRITE, body.ofDefinitions());
            }
            case INSERT, UPDATE, DELETE, MERGE -> rest(Reason.WRITE);
            case UTILITY, FETCH -> rest(Reason.UTILITY);
            default -> rest(Reason.NOT_UNDERSTOOD);
        };
    }

    /** EXPLAIN [ANALYZE] [VERBOSE] statement, or EXPLAIN (options) statement: what the statement is, run or not. */
    private Reason explain() {
        tokens.advance();
        if (tokens.token() == Token.OPEN) {
            tokens.advance();
            if (tokens.token() == Token.OPEN || isQuery()) {
                body.openQuery();
                return rest(Reason.READ);
            }
            while (tokens.token() != Token.CLOSE && !tokens.ended()) {
                tokens.advance();
            }
            tokens.advance();
        } else {
            while (tokens.term() == Term.ANALYZE || tokens.term() == Term.VERBOSE) {
                tokens.advance();
            }
        }
        tokens.beginHere();
        if (tokens.token() == Token.WORD && tokens.term() == Term.EXPLAIN) {
            return rest(Reason.NOT_UNDERSTOOD); // and no recursion, however often the word stands there
        }
        Reason explained = tokens.ended() ? body.notUnderstood() : statement();
        command = TransactionCommand.NONE;
        return explained;
    }

    private boolean isQuery() {
        return switch (tokens.term()) {
            case SELECT, WITH, VALUES, TABLE -> true;
            default -> false;
        };
    }

    /** Settings can differ from node to node; those that follow the client, or that are fixed, do not. */
    private Reason show() {
        tokens.advance();
        return switch (Lexeme.letters(tokens.current())) {
            case REPORTED_SETTING, FIXED_SETTING, TIME -> rest(Reason.READ);
            default -> rest(Reason.NODE_LOCAL);
        };
    }

    /** BEGIN [WORK | TRANSACTION] or START TRANSACTION, with modes or without. */
    private Reason begin() {
        boolean start = tokens.term() == Term.START;
        tokens.advance();
        if (tokens.term() == Term.TRANSACTION || (tokens.term() == Term.WORK && !start)) {
            tokens.advance();
        } else if (start) {
            return rest(Reason.NOT_UNDERSTOOD);
        }
        return modes(
                start ? TransactionCommand.START : TransactionCommand.BEGIN,
                Reason.TRANSACTION,
                Reason.READ_ONLY_TRANSACTION);
    }

    /** Modes to the end of the statement, between which commas may stand or not. */
    private Reason modes(TransactionCommand understood, Reason plain, Reason declared) {
        Reason reason = plain;
        while (!tokens.ended()) {
            Reason mode = mode();
            if (mode == Reason.NOT_UNDERSTOOD) {
                return rest(mode);
            }
            // A standby refuses READ WRITE even where READ ONLY follows.
            reason = mode == Reason.READ_ONLY_TRANSACTION && reason == plain ? declared : reason.or(mode);
            tokens.advance();
            if (tokens.token() == Token.COMMA) {
                tokens.advance();
                if (tokens.ended()) {
                    return rest(Reason.NOT_UNDERSTOOD);
                }
            }
        }
        if (tokens.token() == Token.BROKEN) {
            return body.notUnderstood();
        }
        if (reason == plain || reason == declared) {
            command = understood;
        }
        return reason;
    }

    /** What the mode is that begins at the token at hand, up to its last word; EMPTY for one that changes no target. */
    private Reason mode() {
        switch (tokens.term()) {
            case ISOLATION -> {
                tokens.advance();
                if (tokens.term() != Term.LEVEL) {
                    return Reason.NOT_UNDERSTOOD;
                }
                tokens.advance();
                if (tokens.term() == Term.SERIALIZABLE) {
                    return Reason.SERIALIZABLE;
                }
                if (tokens.term() != Term.REPEATABLE && tokens.term() != Term.READ) {
                    return Reason.NOT_UNDERSTOOD;
                }
                traits |= tokens.term() == Term.REPEATABLE ? Traits.KEEPS_SNAPSHOT : 0;
                Term second = tokens.term() == Term.REPEATABLE ? Term.READ : Term.COMMITTED;
                tokens.advance();
                return tokens.term() == second ? Reason.EMPTY : Reason.NOT_UNDERSTOOD;
            }
            case READ -> {
                tokens.advance();
                return tokens.term() == Term.ONLY
                        ? Reason.READ_ONLY_TRANSACTION
                        : tokens.term() == Term.WRITE ? Reason.READ_WRITE_TRANSACTION : Reason.NOT_UNDERSTOOD;
            }
            case NOT -> {
                tokens.advance();
                return tokens.term() == Term.DEFERRABLE ? Reason.EMPTY : Reason.NOT_UNDERSTOOD;
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
        boolean commits = tokens.term() == Term.COMMIT || tokens.term() == Term.END;
        tokens.advance();
        if (tokens.term() == Term.PREPARED) {
            return rest(Reason.WRITE);
        }
        if (tokens.term() == Term.WORK || tokens.term() == Term.TRANSACTION) {
            tokens.advance();
        }
        if (tokens.term() == Term.TO) {
            return rest(Reason.UTILITY); // a savepoint
        }
        if (tokens.ended() && tokens.token() != Token.BROKEN) {
            command = commits ? TransactionCommand.COMMIT : TransactionCommand.ROLLBACK;
        }
        return tokens.ended() || tokens.term() == Term.AND ? rest(Reason.TRANSACTION_END) : rest(Reason.NOT_UNDERSTOOD);
    }

    private Reason set() {
        tokens.advance();
        if (tokens.term() == Term.TRANSACTION || tokens.term() == Term.CONSTRAINTS || tokens.term() == Term.LOCAL) {
            boolean ofTransaction = tokens.term() == Term.TRANSACTION;
            tokens.advance();
            if (tokens.token() == Token.DOT || tokens.token() == Token.OPERATOR || tokens.term() == Term.TO) {
                return rest(
                        Reason.SESSION_SETTING,
                        Traits.CHANGES_SESSION); // SET local.x = 1: not reserved, so the name of a setting
            }
            if (ofTransaction && beginsMode()) {
                return modes(TransactionCommand.MODES, Reason.TRANSACTION_MODES, Reason.READ_ONLY_MODE);
            }
            return rest(Reason.UTILITY); // PostgreSQL takes it back at the end of the transaction
        }
        traits |= Traits.CHANGES_SESSION;
        if (tokens.term() == Term.SESSION) {
            tokens.advance();
            if (tokens.term() == Term.CHARACTERISTICS) {
                return characteristics();
            }
            if (tokens.term() == Term.AUTHORIZATION) {
                return rest(Reason.SESSION_ROLE);
            }
        }
        return setting();
    }

    private boolean beginsMode() {
        return switch (tokens.term()) {
            case ISOLATION, READ, NOT, DEFERRABLE -> true;
            default -> false;
        };
    }

    private Reason reset() {
        tokens.advance();
        if (tokens.term() == Term.TRANSACTION) {
            tokens.advance();
            return tokens.token() == Token.DOT || tokens.ended()
                    ? rest(Reason.SESSION_SETTING, Traits.CHANGES_SESSION)
                    : rest(Reason.UTILITY);
        }
        traits |= Traits.CHANGES_SESSION;
        if (tokens.term() == Term.SESSION) {
            return rest(Reason.SESSION_ROLE);
        }
        return setting();
    }

    /** At the name of a setting that is set or reset for the session. */
    private Reason setting() {
        return switch (Lexeme.letters(tokens.current())) {
            case REPORTED_SETTING, NAMES -> {
                tokens.advance();
                // A dot behind the name makes it another: SET timezone.x
                yield rest(tokens.token() == Token.DOT ? Reason.SESSION_SETTING : Reason.REPORTED_SETTING);
            }
            case TIME -> {
                tokens.advance();
                yield rest(tokens.term() == Term.ZONE ? Reason.REPORTED_SETTING : Reason.SESSION_SETTING);
            }
            case ROLE -> rest(Reason.SESSION_ROLE);
            default -> rest(Reason.SESSION_SETTING);
        };
    }

    /** SET SESSION CHARACTERISTICS AS TRANSACTION modes: only the one about reading is reported. */
    private Reason characteristics() {
        boolean reported = true;
        tokens.advance();
        while (!tokens.ended()) {
            switch (Lexeme.letters(tokens.current())) {
                case AS, TRANSACTION, READ, ONLY, WRITE -> {}
                default -> reported &= tokens.token() == Token.COMMA;
            }
            tokens.advance();
        }
        return reported ? Reason.REPORTED_SETTING : Reason.SESSION_SETTING;
    }

    private Reason create() {
        tokens.advance();
        while (standsBehindCreate()) {
            tokens.advance();
        }
        noteGlobals();
        if (tokens.term() == Term.EXTENSION) {
            return rest(Reason.WRITE, Traits.RUNS_UNKNOWN_CODE);
        }
        traits |= Traits.CREATES;
        return rest(tokens.term() == Term.TEMPORARY ? Reason.TEMPORARY_OBJECT : Reason.WRITE, body.ofCreation());
    }

    /** CREATE [OR REPLACE] [GLOBAL | LOCAL] */
    private boolean standsBehindCreate() {
        return switch (tokens.term()) {
            case OR, REPLACE, GLOBAL, LOCAL -> true;
            default -> false;
        };
    }

    private Reason alter() {
        tokens.advance();
        noteGlobals();
        return rest(Reason.WRITE, tokens.term() == Term.EXTENSION ? Traits.RUNS_UNKNOWN_CODE : body.ofDefinitions());
    }

    /** At what is created, altered or dropped. */
    private void noteGlobals() {
        if (tokens.isWord(DATABASE) || tokens.isWord(ROLE) || tokens.isWord(USER) || tokens.isWord(GROUP)) {
            traits |= Traits.CHANGES_GLOBALS;
        }
    }

    private Reason declare() {
        Reason reason = Reason.UTILITY;
        while (tokens.term() != Term.FOR && !tokens.ended()) {
            if (tokens.term() == Term.HOLD && tokens.previousTerm() == Term.WITH) {
                reason = Reason.HOLD_CURSOR;
            }
            tokens.advance();
        }
        return rest(reason);
    }

    private Reason prepare() {
        tokens.advance();
        boolean twoPhase = tokens.term() == Term.TRANSACTION;
        tokens.advance();
        return rest(twoPhase && tokens.token() == Token.STRING ? Reason.WRITE : Reason.SQL_PREPARE);
    }

    private Reason rest(Reason first, int traitsOfFirst) {
        traits |= traitsOfFirst;
        return rest(first);
    }

    /** From the token at hand to the end of the statement: what its first words say, or worse. */
    private Reason rest(Reason first) {
        return body.read(first);
    }
}
