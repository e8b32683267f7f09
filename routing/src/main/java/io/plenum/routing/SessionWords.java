package io.plenum.routing;

import io.plenum.routing.sql.Call;
import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;

/** What words and names may do to a session where nothing but they are known. */
final class SessionWords {
    private SessionWords() {}

    /** Words that begin a statement which changes the session. */
    static boolean changesSession(Term term) {
        return switch (term) {
            case SET, RESET, PREPARE, LISTEN, LOAD, HOLD, TEMPORARY -> true;
            default -> false;
        };
    }

    /** What such a word, which begins a statement, adds to the {@link Traits}. */
    static int traitsOfWord(Term term) {
        return switch (term) {
            case SET, RESET, DISCARD, LISTEN, UNLISTEN -> Traits.CHANGES_SESSION;
            case NOTIFY -> Traits.NOTIFIES;
            default -> 0;
        };
    }

    /** What a name adds where any name may be that of a function that is called. */
    static int traitsOfName(int name) {
        Call call = Lexeme.call(name);
        return call == Call.SET_CONFIG ? Traits.CHANGES_SESSION : traitsOfCall(call);
    }

    /** What the call of a function adds. */
    static int traitsOfCall(Call call) {
        return switch (call) {
            case SEQUENCE_MEMORY -> Traits.ASKS_SEQUENCE_MEMORY;
            case CHANNELS -> Traits.ASKS_CHANNELS;
            case NOTIFY -> Traits.NOTIFIES;
            case CANCEL -> Traits.CANCELS;
            case TERMINATE -> Traits.TERMINATES;
            case TRANSACTION_LOCK -> Traits.LOCKS_TRANSACTION;
            default -> 0;
        };
    }

    /** Words that change the session in the midst of a statement. */
    static boolean leavesState(int name) {
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
