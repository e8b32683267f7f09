package io.plenum.routing;

import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.SqlScanner;

/**
 * Confined to its event loop: what a text may do whose quotes are not what they seem. Each word counts wherever it stands, but
 * those of the statement that the text begins with, whose beginning nothing can hide.
 */
final class UntrustedText {
    private final SqlScanner scanner;
    private int traits;

    UntrustedText(SqlScanner scanner) {
        this.scanner = scanner;
    }

    /** The {@link Traits} of the text that was read last. */
    int traits() {
        return traits;
    }

    /** Reads the text of the scanner, from its beginning. */
    Reason read() {
        scanner.rewind();
        traits = Traits.RUNS_UNKNOWN_CODE;
        Reason reason = Reason.UNSAFE_TEXT;
        boolean first = false; // the first statement was seen already
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
                    traits |= SessionWords.traitsOfName(found);
                    if (begins) {
                        traits |= SessionWords.traitsOfWord(Lexeme.term(found));
                    }
                    if (SessionWords.leavesState(found)
                            || (begins && SessionWords.changesSession(Lexeme.term(found)))) {
                        reason = Reason.SESSION_DOUBT;
                    }
                    first = false;
                }
            }
        }
        return reason;
    }
}
