package io.plenum.routing;

import io.plenum.routing.sql.NameTable;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the names of one database stand for, as far as it bears on where a statement goes and on what it leaves behind:
 * functions of users and extensions, sequences, views and tables behind which code runs. Immutable; any thread.
 *
 * <p>By name alone, over all schemas and overloads: the worst that a name may mean is what it means, so that no
 * search_path needs to be known. A name that is not here is a table, a column or a function that nobody knows.
 */
public final class Catalog {
    /** A function of users or of an extension has the name. */
    static final int FUNCTION = 1;
    /** And one of them is in pg_catalog. */
    static final int SYSTEM_FUNCTION = 1 << 1;
    /** One of them may not run on a standby: volatile, or with something in it that tells nodes apart. */
    static final int VOLATILE = 1 << 2;
    /** One of them may leave something in the session. */
    static final int UNCLEAN = 1 << 3;
    /** PostgreSQL's own functions of the name are immutable, all. */
    static final int IMMUTABLE = 1 << 4;
    /** A sequence, which can be read as a table. */
    static final int SEQUENCE = 1 << 5;
    /** A table that no standby has. */
    static final int UNLOGGED = 1 << 6;
    /** Reading it runs what may not run on a standby, or asks somebody else: a view, a policy, a foreign table. */
    static final int OPAQUE = 1 << 7;
    /** Reading it may leave something in the session. */
    static final int UNCLEAN_READ = 1 << 8;
    /** Writing to it may: a trigger, a default, a rule. */
    static final int UNCLEAN_WRITE = 1 << 9;

    /** One of the functions needs no more than one argument, and so can be called as if it were a column of that. */
    static final int COLUMN = 1 << 10;

    /** Those that hold wherever the name stands, and not only before a parenthesis. */
    static final int EVERYWHERE = SEQUENCE | UNLOGGED | OPAQUE | UNCLEAN_READ | UNCLEAN_WRITE;

    /** What transactions of the database are unless a client says otherwise: the strictest that one of its roles has. */
    enum Isolation {
        UNKNOWN,
        READ_COMMITTED,
        REPEATABLE_READ,
        SERIALIZABLE
    }

    private static final AtomicLong VERSIONS = new AtomicLong();

    /** Nobody looks into the catalogue: built-in lists are all that is known. */
    public static final Catalog OFF = new Catalog(NameTable.EMPTY, true, false, 0, false, Isolation.UNKNOWN, true);

    /** The catalogue is not read yet: every name may mean anything. */
    public static final Catalog AWAITED = new Catalog(NameTable.EMPTY, false, false, 0, false, Isolation.UNKNOWN, true);

    private final NameTable names;
    private final boolean fresh;
    private final boolean operators;
    private final int anywhere;
    private final boolean watchesDefinitions;
    private final Isolation isolation;
    private final boolean hides;
    private final Catalog inAnyEncoding;
    private final long version = VERSIONS.incrementAndGet();

    @SuppressWarnings("ThisEscape") // only into a field of its own
    Catalog(
            NameTable names,
            boolean fresh,
            boolean operators,
            int anywhere,
            boolean watchesDefinitions,
            Isolation isolation,
            boolean hides) {
        this.names = names;
        this.fresh = fresh;
        this.operators = operators;
        this.anywhere = anywhere;
        this.watchesDefinitions = watchesDefinitions;
        this.isolation = isolation;
        this.hides = hides;
        NameTable any = names.inAnyEncoding();
        this.inAnyEncoding = any == names
                ? this
                : new Catalog(any, fresh, operators, anywhere, watchesDefinitions, isolation, hides);
    }

    /** What a name behind a dot, of which this is known, may do that is no call by its looks. */
    static int asColumn(int known) {
        return (known & COLUMN) == 0
                ? 0
                : ((known & VOLATILE) != 0 ? OPAQUE : 0) | ((known & UNCLEAN) != 0 ? UNCLEAN_READ : 0);
    }

    /** Tells snapshots apart, whatever database they are of: what was judged by one is judged anew by another. */
    public long version() {
        return version;
    }

    /** The same when somebody has changed the schema since: no name is certain. */
    public Catalog outdated() {
        return fresh ? new Catalog(names, false, operators, anywhere, watchesDefinitions, isolation, hides) : this;
    }

    /** The same for texts that are not in UTF-8. */
    public Catalog inAnyEncoding() {
        return inAnyEncoding;
    }

    /** Whether names mean what is said here; else each may mean anything. */
    public boolean isFresh() {
        return fresh;
    }

    /** Whether transactions are serializable unless a client says otherwise. */
    public boolean isSerializable() {
        return isolation == Isolation.SERIALIZABLE;
    }

    /** Whether it is known that each statement of a transaction has a snapshot of its own unless a client says otherwise. */
    public boolean isReadCommitted() {
        return isolation == Isolation.READ_COMMITTED;
    }

    /** Whether some function may leave {@link HiddenState}. */
    public boolean mayHide() {
        return hides || !fresh;
    }

    NameTable names() {
        return names;
    }

    /** Whether the sign of an operator may tell something. */
    boolean hasOperators() {
        return operators || !fresh;
    }

    /**
     * What any statement may do that evaluates something: IN, ORDER BY, an index, a value that is converted run operators, casts
     * and checks of types without their names. {@link #OPAQUE} and {@link #UNCLEAN_READ}.
     */
    int anywhere() {
        return anywhere;
    }

    /** Whether an event trigger runs at each change of the schema that may leave something in the session. */
    boolean watchesDefinitions() {
        return watchesDefinitions;
    }
}
