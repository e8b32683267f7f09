package io.plenum.routing.sql;

/** What a call of the built-in function of this name does. */
public enum Call {
    /** Not a function that we know. */
    UNKNOWN,
    /** No function can have this name without quotes: PostgreSQL reserves the word for its grammar. */
    RESERVED,
    /** Reads its arguments, the data and the clock; says the same on each node, or is random by intent. */
    HARMLESS,
    /** Looks into the system catalogs. */
    CATALOG,
    /** Asks or changes what each node has of its own, or takes part in its transaction numbers. */
    NODE_LOCAL,
    /** {@code current_setting}: of the client's own settings each node says the same. */
    CURRENT_SETTING,
    /** Works on sequences. */
    SEQUENCE,
    /** Says what the session last got from a sequence. */
    SEQUENCE_MEMORY,
    /** {@code pg_listening_channels} */
    CHANNELS,
    /** {@code pg_notify} */
    NOTIFY,
    /** {@code pg_cancel_backend} */
    CANCEL,
    /** {@code pg_terminate_backend} */
    TERMINATE,
    /** Takes an advisory lock that ends with the transaction. */
    TRANSACTION_LOCK,
    /** Takes an advisory lock that ends with the session, or gives it back. */
    SESSION_LOCK,
    /** {@code set_config}, whose third argument decides how long it holds. */
    SET_CONFIG,
    /** Leaves other state in the session. */
    SESSION_STATE
}
