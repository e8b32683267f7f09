package io.plenum.routing.sql;

/** The words that a reader of SQL must tell apart. Each is the word of its name unless it says otherwise. */
public enum Term {
    /** Any other word. */
    NONE,

    // Queries
    SELECT,
    WITH,
    VALUES,
    TABLE,
    EXPLAIN,
    SHOW,
    /** ANALYZE and ANALYSE */
    ANALYZE,
    VERBOSE,
    INTO,
    FOR,
    NO,
    KEY,
    SHARE,
    AS,
    RECURSIVE,

    // Writes
    INSERT,
    UPDATE,
    DELETE,
    MERGE,
    CREATE,
    ALTER,
    EXTENSION,
    /** DO, CALL and IMPORT: a word that begins a statement which runs what is not in its text. */
    RUNNING,
    /** CLUSTER, REFRESH, REINDEX and VACUUM: a word that begins a statement which evaluates what indexes and views are of. */
    MAINTAINING,
    /** A word that begins another statement which writes, and that means nothing to us elsewhere. */
    WRITING,
    CASCADE,
    COPY,
    NOTIFY,
    ON,
    CONFLICT,
    OR,
    REPLACE,
    GLOBAL,
    /** TEMP and TEMPORARY */
    TEMPORARY,

    // Transactions
    BEGIN,
    START,
    COMMIT,
    END,
    ABORT,
    ROLLBACK,
    TRANSACTION,
    WORK,
    AND,
    CHAIN,
    TO,
    PREPARED,
    ISOLATION,
    LEVEL,
    SERIALIZABLE,
    REPEATABLE,
    /** COMMITTED and UNCOMMITTED */
    COMMITTED,
    READ,
    WRITE,
    ONLY,
    NOT,
    DEFERRABLE,

    // The session
    SET,
    RESET,
    SESSION,
    LOCAL,
    CHARACTERISTICS,
    AUTHORIZATION,
    CONSTRAINTS,
    /** ROLE, and the setting session_authorization */
    ROLE,
    TIME,
    ZONE,
    NAMES,
    /** The name of a setting that PostgreSQL reports by ParameterStatus when it changes. */
    REPORTED_SETTING,
    /** The name of a setting that no one can change and that is alike on all nodes of a cluster. */
    FIXED_SETTING,
    PREPARE,
    EXECUTE,
    DISCARD,
    DEALLOCATE,
    LISTEN,
    UNLISTEN,
    LOAD,
    DECLARE,
    HOLD,
    LOCK,
    CHECKPOINT,
    /** A word that begins a statement which is none of the above, and that means nothing to us elsewhere. */
    UTILITY,

    // Words of the grammar that may stand before a parenthesis although a function could have their name
    OVER,
    FILTER,
    WITHIN,
    BY,
    ORDER,
    GROUP,
    PARTITION,
    SETS,
    GROUPING,
    /** ROLLUP and CUBE */
    ROLLUP,
    MATERIALIZED,
    FETCH,
    /** FIRST and NEXT */
    FIRST,
    VARYING,
    /** CHAR, CHARACTER, NCHAR and BIT, which may be VARYING */
    CHARACTER,
    TABLESAMPLE,
    /** SYSTEM and BERNOULLI */
    SAMPLING,
    OPERATOR,
    JOIN,
    /** LIKE and ILIKE */
    LIKE,
    TRUE,
    DISTINCT,
    ESCAPE,
    /** ROWS, RANGE and GROUPS, which begin the frame of a window */
    FRAME,

    // Names
    PG_CATALOG,
    PG_TEMP,
    INFORMATION_SCHEMA,
    /** A column that every sequence has, and a window function. */
    LAST_VALUE
}
