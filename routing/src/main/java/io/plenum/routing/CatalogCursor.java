package io.plenum.routing;

import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import io.plenum.routing.sql.TokenCursor;

/** Confined to its event loop: goes over the tokens of a text and looks each name up in the catalogue. */
final class CatalogCursor extends TokenCursor {
    private Catalog catalog = Catalog.OFF;

    // What the catalogue knows: of the name at hand, of the one before it, and of all names in the statement.
    private int known;
    private int knownBefore;
    private int knownOfAll;
    /** A name stood in the statement, and no name is certain. */
    private boolean namesAnything;

    /** From now on names are those of this catalogue. */
    void lookInto(Catalog catalog) {
        this.catalog = catalog;
    }

    Catalog catalog() {
        return catalog;
    }

    @Override
    public void beginStatement() {
        knownOfAll = 0;
        namesAnything = false;
        super.beginStatement();
    }

    /** Behind AS stands a name, as it does behind a dot. */
    @Override
    public void advance() {
        super.advance();
        knownBefore = known;
        known = 0;
        int name = current();
        if (Lexeme.isName(name)) {
            known = scanner().look(catalog.names());
            knownOfAll |= known & Catalog.EVERYWHERE;
            namesAnything |= name == Lexeme.UNKNOWN_WORD || Lexeme.token(name) != Token.WORD;
            if (previousTerm() == Term.AS) {
                takeAsName();
            }
        } else if (Lexeme.token(name) == Token.OPERATOR && catalog.hasOperators()) {
            knownOfAll |= scanner().lookOperator(catalog.names());
        }
    }

    /** Which of these bits of a {@link Catalog} the name before the token at hand has. */
    int knownBefore(int bits) {
        return knownBefore & bits;
    }

    /** Whether the statement has a name that may mean anything, for the catalogue is not up to date. */
    private boolean isUncertain() {
        return namesAnything && !catalog.isFresh();
    }

    /** What the names in the statement say of it; EMPTY if nothing. */
    Reason ofNames() {
        Reason reason = isUncertain() ? Reason.NO_CATALOG : Reason.EMPTY;
        if ((knownOfAll & Catalog.OPAQUE) != 0) {
            reason = reason.or(Reason.OPAQUE_RELATION);
        }
        if ((knownOfAll & Catalog.UNLOGGED) != 0) {
            reason = reason.or(Reason.UNLOGGED_TABLE);
        }
        return (knownOfAll & Catalog.SEQUENCE) != 0 ? reason.or(Reason.SEQUENCE) : reason;
    }

    /** Whether the names in a statement that is a {@code read} or something else run code that may leave something. */
    boolean mayRunUnknownCode(Reason read) {
        boolean writes = read.target() == Target.PRIMARY;
        return (knownOfAll & Catalog.UNCLEAN_READ) != 0
                || (writes && (knownOfAll & Catalog.UNCLEAN_WRITE) != 0)
                // settings and the like run nothing
                || (isUncertain() && (read.compareTo(Reason.UTILITY) < 0 || read == Reason.WRITE));
    }
}
