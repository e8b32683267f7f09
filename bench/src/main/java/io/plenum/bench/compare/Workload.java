package io.plenum.bench.compare;

import java.util.List;
import java.util.Locale;

/** A kind of load, as pgbench makes it. */
enum Workload {
    SIMPLE("one row by key, simple protocol", List.of("-S", "-M", "simple")),
    PREPARED("one row by key, named prepared statement", List.of("-S", "-M", "prepared")),
    EXTENDED("one row by key, parsed each time", List.of("-S", "-M", "extended")),
    PIPELINE("20 selects by key in one pipeline", List.of("-M", "extended"), """
        \\set aid random(1, 100000 * :scale)
        \\startpipeline
        %s\\endpipeline
        """.formatted(
                    "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n".repeat(20))),
    // TPC-B's seven statements, with its few hot rows spread over a large table: else the server's row locks are
    // measured.
    TX("explicit transaction of 7 statements", List.of("-M", "simple"), """
        \\set aid random(1, 100000 * :scale)
        \\set bid random(1, 100000)
        \\set tid random(1, 100000)
        \\set delta random(-5000, 5000)
        BEGIN;
        UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
        SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
        UPDATE bench_tellers SET balance = balance + :delta WHERE id = :tid;
        UPDATE bench_branches SET balance = balance + :delta WHERE id = :bid;
        INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, now());
        END;
        """),
    RESULT("1 MB result of 1,000 rows", List.of("-M", "simple"), "SELECT payload FROM bench_result;\n"),
    CONNECT("one connection per select, no password", List.of("-C", "-S", "-M", "simple")),
    FOLLOWED(
            "one row by key, prepared, each client with a setting of its own that follows it from server to server;"
                    + " PgBouncer leaves settings where they are, so the ratio is one of unlike work",
            List.of("-M", "prepared", "-D", "made=0"),
            """
            \\if :made = 0
            SELECT set_config('bench.client', :client_id::text, false);
            \\set made 1
            \\endif
            \\set aid random(1, 100000 * :scale)
            SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
            """),
    SCRUBBED(
            "one row by key through a function of the user's that runs SQL which it puts together, prepared; behind it"
                    + " the server is cleaned for whoever comes next; PgBouncer does not clean, so the ratio is one of"
                    + " unlike work",
            List.of("-M", "prepared"),
            """
            \\set aid random(1, 100000 * :scale)
            SELECT bench_balance(:aid);
            """);

    /** The function that {@link #SCRUBBED} calls. Of what it runs nobody can say beforehand that it leaves nothing behind. */
    static final String UNREADABLE = """
        DECLARE balance int;
        BEGIN
            EXECUTE format('SELECT abalance FROM %I WHERE aid = $1', 'pgbench_accounts') INTO balance USING key;
            RETURN balance;
        END
        """;

    /** What each workload reads and writes, beside pgbench's own tables. */
    static final List<String> SETUP = List.of(
            "CREATE TABLE bench_tellers AS SELECT id, 0 AS balance FROM generate_series(1, 100000) AS id",
            "ALTER TABLE bench_tellers ADD PRIMARY KEY (id)",
            "CREATE TABLE bench_branches AS SELECT id, 0 AS balance FROM generate_series(1, 100000) AS id",
            "ALTER TABLE bench_branches ADD PRIMARY KEY (id)",
            "CREATE TABLE bench_result AS SELECT repeat(md5(id::text), 32) AS payload"
                    + " FROM generate_series(1, 1000) AS id",
            "CREATE FUNCTION bench_balance(key int) RETURNS int LANGUAGE plpgsql STABLE AS $$" + UNREADABLE + "$$",
            "VACUUM ANALYZE");

    private final String description;

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<String> options;

    private final String script;

    Workload(String description, List<String> options) {
        this(description, options, "");
    }

    Workload(String description, List<String> options, String script) {
        this.description = description;
        this.options = options;
        this.script = script;
    }

    /** As in options and in the last line. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return label();
    }

    String description() {
        return description;
    }

    /** What pgbench is told beside clients, time and address. */
    List<String> options() {
        return options;
    }

    /** A script for pgbench, or "" where it runs one of its own. */
    String script() {
        return script;
    }
}
