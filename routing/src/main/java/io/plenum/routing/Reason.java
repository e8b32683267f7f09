package io.plenum.routing;

import static io.plenum.routing.Target.PRIMARY;
import static io.plenum.routing.Target.REPLICA;

import io.plenum.wire.AsciiCase;

/**
 * What a statement, a text of several or a whole batch is, and with it where it goes.
 *
 * <p>The order of the constants is the order of telling: where several apply, the last one named here is the answer.
 * Reasons that {@linkplain #leavesState() leave state} in the session therefore stand at the end, and of these the ones
 * that {@linkplain #pins() pin} last: nothing hides a pin, and only a pin hides a change of settings.
 *
 * <p>The label is the value of a metric label, the word in SHOW ROUTES and the answer of EXPLAIN ROUTE.
 */
public enum Reason {
    /** Nothing but white space, comments and semicolons: PostgreSQL answers EmptyQueryResponse on any node. */
    EMPTY(REPLICA),
    /** Proven to read only, and to answer alike on every node that has the same data. */
    READ(REPLICA),
    /**
     * BEGIN READ ONLY, or BEGIN and SET TRANSACTION READ ONLY, alone or followed by nothing but reads and the end of the
     * transaction.
     */
    READ_ONLY_TRANSACTION(REPLICA),
    /** Nothing but reads so far in a transaction that may still write, and could begin anew elsewhere. Said by the router. */
    READ_SO_FAR(REPLICA),
    /** No proven read, but the client asked for a replica and may. Said by the router. */
    HINTED_REPLICA(REPLICA),

    /** COMMIT, ROLLBACK or END with nothing before it. */
    TRANSACTION_END(PRIMARY),
    /** SET TRANSACTION with modes that every node takes, with nothing before it. */
    TRANSACTION_MODES(PRIMARY),
    /** SET TRANSACTION READ ONLY with nothing before it; behind BEGIN it makes the transaction {@link #READ_ONLY_TRANSACTION}. */
    READ_ONLY_MODE(PRIMARY),
    /** BEGIN that says neither READ ONLY nor READ WRITE: the client's default decides. */
    TRANSACTION(PRIMARY),
    /** BEGIN or SET TRANSACTION READ WRITE, which a standby refuses. */
    READ_WRITE_TRANSACTION(PRIMARY),
    /** BEGIN or SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, or anything where that is the default: a standby refuses it. */
    SERIALIZABLE(PRIMARY),
    /** The policy is {@link RoutingPolicy#OFF}. */
    ROUTING_OFF(PRIMARY),
    /** The policy is {@link RoutingPolicy#EXPLICIT} and the client did not declare this to be read-only. */
    NOT_DECLARED(PRIMARY),
    /** The client asked for the primary. Said by the router. */
    HINTED_PRIMARY(PRIMARY),
    /** A read, but no replica is fit to take it. Said by the pooler, never by this package. */
    NO_REPLICA(PRIMARY),
    /** A read, but no replica has caught up with what it must have seen. Said by the pooler, never by this package. */
    NOT_CAUGHT_UP(PRIMARY),
    /** A read by its text, but a standby has refused it. Said by the pooler, never by this package. */
    REFUSED_BY_STANDBY(PRIMARY),
    /** Names something, and what names mean is not known yet: the catalogue is being read, or read again. */
    NO_CATALOG(PRIMARY),
    /** Reads pg_catalog, information_schema or another system relation, which may lag behind the DDL just done. */
    SYSTEM_CATALOG(PRIMARY),
    /** Calls a function that is not known to be harmless. */
    UNKNOWN_FUNCTION(PRIMARY),
    /** Calls a function of users that is volatile, or that has something in it which must not run on a standby. */
    VOLATILE_FUNCTION(PRIMARY),
    /**
     * Reads a view or table that runs such code by itself, or a foreign table; or the database has such code behind an operator, a
     * cast or a type, which a statement may run without naming it.
     */
    OPAQUE_RELATION(PRIMARY),
    /** Reads an unlogged table, which no standby has. */
    UNLOGGED_TABLE(PRIMARY),
    /** Asks or changes something that each node has of its own. */
    NODE_LOCAL(PRIMARY),
    /** nextval, setval, currval, lastval, or a sequence read like a table. */
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
    SESSION_SETTING(PRIMARY, State.SETTINGS),
    /** SET ROLE, SET SESSION AUTHORIZATION and their RESET. */
    SESSION_ROLE(PRIMARY, State.SETTINGS),
    /** setseed, LOAD, dblink_connect: state of the server process. */
    SESSION_STATE(PRIMARY, State.PINNED),
    /** PREPARE in SQL. */
    SQL_PREPARE(PRIMARY, State.PINNED),
    /** LISTEN. */
    LISTEN(PRIMARY, State.PINNED),
    /** DECLARE ... WITH HOLD. */
    HOLD_CURSOR(PRIMARY, State.PINNED),
    /** A temporary table or other object. */
    TEMPORARY_OBJECT(PRIMARY, State.PINNED),
    /** Takes an advisory lock of the session or gives it back: only the server knows whether one is left. */
    SESSION_LOCK(PRIMARY, State.PINNED),
    /** A text that is not understood, in which a word stands that may leave state in the session. */
    SESSION_DOUBT(PRIMARY, State.PINNED);

    /** What outlives the transaction in the session of the server. */
    private enum State {
        NONE,
        SETTINGS,
        PINNED
    }

    private final Target target;
    private final State state;
    private final String label = AsciiCase.lower(name());

    Reason(Target target) {
        this(target, State.NONE);
    }

    Reason(Target target, State state) {
        this.target = target;
        this.state = state;
    }

    public Target target() {
        return target;
    }

    /**
     * Whether the statement may leave state in the server's session that outlives the transaction and that lives in that
     * server alone, so that the client must keep it. Settings that the same text changes are hidden by such a reason.
     */
    public boolean pins() {
        return state == State.PINNED;
    }

    /**
     * Whether the statement changes settings of the session, which can be brought to another server: the client need not
     * keep this one. Those of {@link #REPORTED_SETTING} are not meant, for the server itself tells of them.
     */
    public boolean changesSettings() {
        return state == State.SETTINGS;
    }

    /**
     * Whether the statement may leave state of any kind in the session that outlives the transaction. Known gaps: what
     * DO, CALL and functions of users do inside.
     */
    public boolean leavesState() {
        return state != State.NONE;
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
