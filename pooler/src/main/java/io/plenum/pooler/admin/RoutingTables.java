package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.ColumnType.FLOAT8;
import static io.plenum.pooler.admin.ColumnType.INT4;
import static io.plenum.pooler.admin.ColumnType.INT8;
import static io.plenum.pooler.admin.ColumnType.NUMERIC;
import static io.plenum.pooler.admin.ColumnType.TEXT;
import static io.plenum.pooler.metrics.Census.Depth.CONNECTIONS;
import static io.plenum.pooler.metrics.Census.Depth.SUMS;

import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.Census.PinFacts;
import io.plenum.pooler.metrics.NodeShare;
import io.plenum.routing.sql.Outline;
import io.plenum.wire.AsciiCase;
import java.util.Set;
import java.util.stream.Stream;

/** The tables of SHOW that are our own: nodes, and what goes to which of them and why. */
final class RoutingTables {
    private static final Set<String> ROW_STATEMENTS =
            Set.of("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE");
    private static final int LONGEST_STATEMENT = 200;

    private RoutingTables() {}

    static ShowTable nodes() {
        return TableBuilder.own(
                        "NODES", "The nodes of each database, what each of them is, and what it does for us.", SUMS)
                .column("database", TEXT)
                .column("node", TEXT)
                .column("addr", TEXT)
                .column("role", TEXT, "`primary`, `replica` or `unknown`, as PostgreSQL says")
                .column(
                        "state",
                        TEXT,
                        "`up`, `down`, `refusing` (starts, or is in a smart shutdown),"
                                + " `draining` (no longer named by discovery, but alive), `unknown` (not asked yet),"
                                + " `foreign` (of another cluster), `gone`")
                .column("zone", TEXT)
                .column("weight", INT4)
                .column("sv_active", INT4, "server connections that work for a client")
                .column("sv_idle", INT4)
                .column("in_flight", INT4, "transactions that run or wait there: what balancing compares")
                .column("xacts", NUMERIC, "transactions since the start")
                .column("reads", NUMERIC, "those of them that were proven reads sent to a standby")
                .column("replay_lsn", TEXT, "how far a standby has replayed, a primary written; empty if unknown")
                .column("lag_bytes", INT8, "what a standby has still to replay; empty if unknown")
                .column("lag_ms", INT8, "0 if nothing is missing; empty if unknown")
                .column("since", TEXT, "when role or state last changed")
                .rows(view -> view.census().nodes().stream().map(node -> node(view, node)));
    }

    private static Row node(View view, NodeFacts node) {
        long lsn = node.replayLsn();
        return Row.of(
                node.database(),
                node.node(),
                node.host() + ":" + node.port(),
                node.role(),
                node.state(),
                node.zone(),
                node.weight(),
                node.servers().active(),
                node.servers().idle(),
                node.inFlight(),
                node.transactions(),
                node.reads(),
                lsn == 0 ? null : "%X/%X".formatted(lsn >>> 32, lsn & 0xffff_ffffL),
                node.lagBytes() < 0 ? null : node.lagBytes(),
                node.lagBytes() == 0 ? 0 : null,
                node.sinceNanos() == 0
                        ? null
                        : ShowTables.time(
                                view.census().atMillis() - (view.census().atNanos() - node.sinceNanos()) / 1_000_000));
    }

    static ShowTable balance() {
        return TableBuilder.own(
                        "BALANCE",
                        "How evenly the transactions of a database are spread over its nodes, over the last"
                                + " `stats_period` or since the set of standbys last changed, whichever is shorter.",
                        SUMS)
                .column("database", TEXT)
                .column("node", TEXT)
                .column("share", FLOAT8, "part of the transactions of the database, 0 to 1")
                .column(
                        "fair_share",
                        FLOAT8,
                        "what the standbys' part would be for each if spread by weight; the primary's is its share")
                .column("xacts_per_s", FLOAT8)
                .column("cv", FLOAT8, "coefficient of variation over the standbys: standard deviation over mean")
                .column(
                        "verdict",
                        TEXT,
                        "`balanced`: cv is no more than 0.1 and what chance explains; `skewed`; `idle`: fewer than 20"
                                + " transactions")
                .rows(view ->
                        NodeShare.of(
                                        view.census(),
                                        view.history(),
                                        view.config().get(Settings.STATS_PERIOD).toNanos())
                                .stream()
                                .map(share -> Row.of(
                                        share.database(),
                                        share.node(),
                                        rounded(share.share(), 4),
                                        rounded(share.fairShare(), 4),
                                        rounded(share.transactionsPerSecond(), 1),
                                        rounded(share.variation(), 4),
                                        share.verdict().word())));
    }

    private static double rounded(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.round(value * scale) / scale;
    }

    static ShowTable pins() {
        return TableBuilder.own(
                        "PINS",
                        "Clients that keep their server connection beyond the transaction, because a statement left"
                                + " state in it.",
                        CONNECTIONS)
                .column("client", INT8, "its `id` in SHOW CLIENTS")
                .column("server", INT8, "its `id` in SHOW SERVERS")
                .column("reason", TEXT)
                .column("age_ms", INT8)
                .column("statement", TEXT, "its first 200 characters, with `?` for each literal")
                .rows(view -> view.census().clients().stream().flatMap(client -> {
                    PinFacts pin = client.pin();
                    return pin == null
                            ? Stream.empty()
                            : Stream.of(Row.of(
                                    client.id(),
                                    client.serverId(),
                                    pin.reason().label(),
                                    pin.ageNanos() / 1_000_000,
                                    pin.statement()));
                }));
    }

    static ShowTable preparedStatements() {
        return TableBuilder.restricted(
                        "PREPARED_STATEMENTS",
                        "The statements that clients have prepared by name, each once for all clients and servers, for"
                                + " `admin_users` alone; the one that was prepared last stands last.",
                        SUMS)
                .column("name", TEXT, "its name on servers")
                .column("target", TEXT, "`primary` or `replica`")
                .column("reason", TEXT, "why it goes there")
                .column(
                        "statement",
                        TEXT,
                        "its first 200 characters, with `?` for each literal; of a command that reads and writes no"
                                + " rows the first word")
                .rows(view -> view.standing().statements().get().stream()
                        .map(statement -> Row.of(
                                statement.toString(),
                                AsciiCase.lower(statement.reason().target().name()),
                                statement.reason().label(),
                                shown(statement.text()))));
    }

    /** What reads and writes rows, without its literals; of other commands (ALTER ROLE) the first word. */
    private static String shown(String text) {
        String whole = text.strip();
        String word = whole.split("\\W", 2)[0];
        boolean ofRows = ROW_STATEMENTS.contains(AsciiCase.upper(word));
        return ofRows ? Outline.of(whole, LONGEST_STATEMENT) : word;
    }

    static ShowTable routes() {
        return TableBuilder.own("ROUTES", "Why batches of statements went where they went.", SUMS)
                .column("database", TEXT)
                .column("reason", TEXT)
                .column("target", TEXT, "`primary` or `replica`")
                .column("count", NUMERIC)
                .rows(view -> view.census().routesByDatabase().entrySet().stream()
                        .flatMap(entry -> entry.getValue().entrySet().stream()
                                .map(route -> Row.of(
                                        entry.getKey(),
                                        route.getKey().label(),
                                        AsciiCase.lower(route.getKey().target().name()),
                                        route.getValue()))));
    }
}
