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
    /** The statement may evaluate something, and so run what is behind operators and types. */
    private boolean evaluates;

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
        evaluates = true;
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
            if (previousToken() == Token.DOT) {
                knownOfAll |= Catalog.asColumn(known);
            }
            namesAnything |= name == Lexeme.UNKNOWN_WORD || Lexeme.token(name) != Token.WORD;
            if (previousTerm() == Term.AS) {
                takeAsName();
            }
        } else if (Lexeme.token(name) == Token.OPERATOR && catalog.hasOperators()) {
            knownOfAll |= scanner().lookOperator(catalog.names());
            namesAnything |= !catalog.isFresh() && !scanner().isOrdinaryOperator();
        }
    }

    /** Whether the statement at hand may evaluate something; it may where nobody says otherwise. */
    void setEvaluates(boolean evaluates) {
        this.evaluates = evaluates;
    }

    private int knownOfAll() {
        return knownOfAll | (evaluates ? catalog.anywhere() : 0);
    }

    /** Which of these bits of a {@link Catalog} the name before the token at hand has. */
    int knownBefore(int bits) {
        return knownBefore & bits;
    }

    /** Whether the statement has a name that may mean anything, for the catalogue is not up to date. */
    private boolean isUncertain() {
        return namesAnything && !catalog.isFresh();
    }

    /** What the names in the statement, and what is behind operators and types, say of it; EMPTY if nothing. */
    Reason ofNames() {
        int known = knownOfAll();
        Reason reason = isUncertain() ? Reason.NO_CATALOG : Reason.EMPTY;
        if ((known & Catalog.OPAQUE) != 0) {
            reason = reason.or(Reason.OPAQUE_RELATION);
        }
        if ((known & Catalog.UNLOGGED) != 0) {
            reason = reason.or(Reason.UNLOGGED_TABLE);
        }
        return (known & Catalog.SEQUENCE) != 0 ? reason.or(Reason.SEQUENCE) : reason;
    }

    /** Whether the names in a statement that is a {@code read} or something else run code that may leave something. */
    boolean mayRunUnknownCode(Reason read) {
        boolean writes = read.target() == Target.PRIMARY;
        int known = knownOfAll();
        return (known & Catalog.UNCLEAN_READ) != 0
                || (writes && (known & Catalog.UNCLEAN_WRITE) != 0)
                || (isUncertain() && evaluates);
    }
}
