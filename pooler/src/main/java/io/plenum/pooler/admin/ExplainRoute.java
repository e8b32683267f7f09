package io.plenum.pooler.admin;

import io.netty.buffer.Unpooled;
import io.plenum.pooler.admin.ShowTable.Column;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.metrics.Census;
import io.plenum.pooler.pool.Pause;
import io.plenum.routing.Catalog;
import io.plenum.routing.HintPolicy;
import io.plenum.routing.Reason;
import io.plenum.routing.Router;
import io.plenum.routing.RoutingHint;
import io.plenum.routing.RoutingPolicy;
import io.plenum.routing.StatementClassifier;
import io.plenum.routing.Target;
import io.plenum.routing.Traits;
import io.plenum.routing.topology.Topology;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** EXPLAIN ROUTE: what would become of a text, without running it. */
final class ExplainRoute {
    /** Its answer, one row. */
    static final ShowTable TABLE = new ShowTable(
            "EXPLAIN ROUTE",
            "Where a text would go, and why.",
            true,
            Verb.Right.READ,
            Census.Depth.SUMS,
            List.of(
                    new Column("database", ColumnType.TEXT, "whose catalogue says what names mean"),
                    new Column("target", ColumnType.TEXT, ""),
                    new Column("reason", ColumnType.TEXT, ""),
                    new Column("leaves", ColumnType.TEXT, ""),
                    new Column("catalog", ColumnType.TEXT, ""),
                    new Column("held", ColumnType.TEXT, "")),
            view -> Stream.empty());

    private static final String ANYBODY = "";

    private static final Pattern COMMAND =
            Pattern.compile("(?is)\\s*EXPLAIN\\s+ROUTE\\s+(?:FOR\\s+(?:\"((?:[^\"]|\"\")++)\"|([^\\s\"]++))\\s+)?(.*)");

    private ExplainRoute() {}

    /** The command that the text is; null if it is another. */
    static @Nullable Command parse(String text) {
        Matcher found = COMMAND.matcher(text);
        if (!found.matches()) {
            return null;
        }
        String quoted = found.group(1);
        String plain = found.group(2);
        String database = quoted != null ? quoted.replace("\"\"", "\"") : plain == null ? "" : plain;
        return new Command(Verb.EXPLAIN_ROUTE, TABLE, database, found.group(3));
    }

    /** What would become of a text of a user for whom nothing is set, in a session that has set nothing. */
    static Row explain(
            PoolerConfig config,
            @Nullable DatabaseConfig database,
            Catalog catalog,
            @Nullable Holding holding,
            String sql) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        var classifier = new StatementClassifier();
        var router = new Router();
        router.begin(database == null ? RoutingPolicy.AUTO : policy(config, database), false, true);
        router.hint(database == null ? HintPolicy.OFF : hints(config, database), RoutingHint.AUTO);
        if (catalog.isSerializable()) {
            router.serializable();
        }
        Reason classified = classifier.classify(Unpooled.wrappedBuffer(text), 0, text.length, true, catalog);
        router.statement(classified, classifier.traits());
        Reason reason = router.decide();
        return Row.of(
                database == null ? "" : database.name(),
                reason.target().name().toLowerCase(Locale.ROOT),
                reason.label(),
                leaves(classified, classifier.traits()),
                catalog == Catalog.OFF ? "off" : catalog.isFresh() ? "read" : "awaited",
                holding == null ? "" : holding.of(reason.target()));
    }

    /** What may keep the batches of one database from beginning, as it is now. */
    record Holding(Topology topology, Pause pause, boolean suspended) {
        /** Why a batch for this target would not begin; "no" if it would. A read without a standby needs the primary. */
        private String of(Target target) {
            if (suspended) {
                return "suspended";
            }
            if (target == Target.REPLICA && !topology.replicas().isEmpty()) {
                return pause == Pause.ALL ? "paused" : "no";
            }
            if (pause != Pause.NONE) {
                return "paused";
            }
            return topology.primary() != null ? "no" : topology.splitBrain() ? "two_primaries" : "no_primary";
        }
    }

    private static RoutingPolicy policy(PoolerConfig config, DatabaseConfig database) {
        String word = config.readRouting(database, config.user(ANYBODY)).word();
        return Objects.requireNonNullElse(RoutingPolicy.named(word), RoutingPolicy.OFF);
    }

    private static HintPolicy hints(PoolerConfig config, DatabaseConfig database) {
        String word = config.routingHints(database, config.user(ANYBODY)).word();
        return Objects.requireNonNullElse(HintPolicy.named(word), HintPolicy.OFF);
    }

    /** What it may leave in the session, the most costly first. */
    private static String leaves(Reason classified, int traits) {
        if (classified.pins()) {
            return "pin";
        }
        if ((traits & Traits.RUNS_UNKNOWN_CODE) != 0) {
            return "unknown";
        }
        return classified.changesSettings() || (traits & Traits.CHANGES_SESSION) != 0 ? "settings" : "nothing";
    }
}
