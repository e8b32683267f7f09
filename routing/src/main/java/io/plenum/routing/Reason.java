package io.plenum.routing;

import static io.plenum.routing.Target.PRIMARY;
import static io.plenum.routing.Target.REPLICA;

import java.util.Locale;

/**
 * What a statement, a text of several or a whole batch is, and with it where it goes.
 *
 * <p>The order of the constants is the order of telling: where several apply, the last one named here is the answer.
 * Reasons that {@linkplain #pins() pin} therefore stand at the end, so that no other reason can hide one.
 *
 * <p>The label is the value of a metric label, the word in SHOW ROUTES and the answer of EXPLAIN ROUTE.
 */
public enum Reason {
    /** Nothing but white space, comments and semicolons: PostgreSQL answers EmptyQueryResponse on any node. */
    EMPTY(REPLICA),
    /** Proven to read only, and to answer alike on every node that has the same data. */
    READ(REPLICA),
    /** BEGIN READ ONLY, alone or followed by nothing but reads and the end of the transaction. */
    READ_ONLY_TRANSACTION(REPLICA),

    /** COMMIT, ROLLBACK or END with nothing before it. */
    TRANSACTION_END(PRIMARY),
    /** BEGIN that says neither READ ONLY nor READ WRITE: the client's default decides. */
    TRANSACTION(PRIMARY),
    /** BEGIN READ WRITE, which a standby refuses. */
    READ_WRITE_TRANSACTION(PRIMARY),
    /** BEGIN ISOLATION LEVEL SERIALIZABLE, which a standby refuses. */
    SERIALIZABLE(PRIMARY),
    /** The policy is {@link RoutingPolicy#OFF}. */
    ROUTING_OFF(PRIMARY),
    /** The policy is {@link RoutingPolicy#EXPLICIT} and the client did not declare this to be read-only. */
    NOT_DECLARED(PRIMARY),
    /** A read, but no replica is fit to take it. Said by the pooler, never by this package. */
    NO_REPLICA(PRIMARY),
    /** Reads pg_catalog, information_schema or another system relation, which may lag behind the DDL just done. */
    SYSTEM_CATALOG(PRIMARY),
    /** Calls a function that is not known to be harmless. */
    UNKNOWN_FUNCTION(PRIMARY),
    /** Asks or changes something that each node has of its own. */
    NODE_LOCAL(PRIMARY),
    /** nextval, setval, currval, lastval. */
    SEQUENCE(PRIMARY),
    /** FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE. */
    LOCKING_READ(PRIMARY),
    /** A statement that is neither a query nor a write, and that is not worth a standby: FETCH, SAVEPOINT, ANALYZE. */
    UTILITY(PRIMARY),
    /** A change of a setting that every server reports, so that the pooler can follow it. */
    REPORTED_SETTING(PRIMARY),
    /** COPY in any direction. */
    COPY(PRIMARY),
    /** A statement that writes: DML, DDL, CALL, DO. */
    WRITE(PRIMARY),
    /** Not the SQL that this package knows. */
    NOT_UNDERSTOOD(PRIMARY),
    /** More text than the classifier looks at. */
    TOO_LONG(PRIMARY),
    /** Text whose quotes cannot be trusted: the encoding, or standard_conforming_strings off. */
    UNSAFE_TEXT(PRIMARY),
    /** The batch had to be decided before its Sync was seen. */
    INCOMPLETE_BATCH(PRIMARY),
    /** The FunctionCall message. */
    FUNCTION_CALL(PRIMARY),

    /** SET, RESET or set_config of a setting that outlives the transaction and that no server reports. */
    SESSION_SETTING(PRIMARY, true),
    /** SET ROLE, SET SESSION AUTHORIZATION and their RESET. */
    SESSION_ROLE(PRIMARY, true),
    /** setseed, LOAD, dblink_connect: state of the server process. */
    SESSION_STATE(PRIMARY, true),
    /** PREPARE in SQL. */
    SQL_PREPARE(PRIMARY, true),
    /** LISTEN. */
    LISTEN(PRIMARY, true),
    /** DECLARE ... WITH HOLD. */
    HOLD_CURSOR(PRIMARY, true),
    /** A temporary table or other object. */
    TEMPORARY_OBJECT(PRIMARY, true),
    /** An advisory lock of the session. */
    SESSION_LOCK(PRIMARY, true),
    /** A text that is not understood, in which a word stands that may leave state in the session. */
    SESSION_DOUBT(PRIMARY, true);

    private final Target target;
    private final boolean pins;
    private final String label = name().toLowerCase(Locale.ROOT);

    Reason(Target target) {
        this(target, false);
    }

    Reason(Target target, boolean pins) {
        this.target = target;
        this.pins = pins;
    }

    public Target target() {
        return target;
    }

    /**
     * Whether the statement may leave state in the server's session that outlives the transaction, so that the client
     * must keep its server. Known gaps: what DO, CALL and functions of users do inside.
     */
    public boolean pins() {
        return pins;
    }

    /** The name in lower case. */
    public String label() {
        return label;
    }

    /** The one of the two that tells more: the later constant. */
    Reason or(Reason other) {
        return other.compareTo(this) > 0 ? other : this;
    }
}
