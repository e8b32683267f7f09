package io.plenum.pooler.pool;

import io.plenum.pooler.server.ServerConnection;

/** The SQL that undoes what a client may have done to a session unseen; prepared statements of the protocol stay. */
final class ScrubQuery {
    /** RESET ALL leaves roles alone; what DISCARD ALL does beyond this would take the prepared statements too. */
    private static final String ALL = "CLOSE ALL;SET SESSION AUTHORIZATION DEFAULT;RESET ALL;UNLISTEN *;SELECT"
            + " pg_catalog.pg_advisory_unlock_all();DISCARD TEMP;DISCARD SEQUENCES";

    /**
     * Nothing takes a seed back, but one that nobody knows is of no use to anybody. Which names SQL prepared or deallocated
     * unseen cannot be told beforehand, so a server with such a name is closed, and one that holds fewer of the protocol's
     * statements than we know of ({@code $N}). It takes as long again as all the rest.
     */
    private static final String HIDDEN = ";SELECT pg_catalog.setseed(pg_catalog.uuid_hash_extended("
            + "pg_catalog.gen_random_uuid(),0)::pg_catalog.float8 OPERATOR(pg_catalog./) 9223372036854775808),"
            + "(SELECT CASE WHEN pg_catalog.bool_or(from_sql) OR pg_catalog.count(*) OPERATOR(pg_catalog.<) $N THEN '"
            + ServerConnection.UNFIT + "' END FROM pg_catalog.pg_prepared_statements)";

    private ScrubQuery() {}

    /** For this server; {@code hidden} says that it may hold {@link io.plenum.routing.HiddenState}. */
    static String of(ServerConnection server, boolean hidden) {
        String statements = Integer.toString(server.statements().size());
        String sql = hidden ? ALL + HIDDEN.replace("$N", statements) : ALL;
        String connectQuery = server.target().connectQuery(); // what it has set is undone too
        return connectQuery == null ? sql : sql + ";" + connectQuery;
    }
}
