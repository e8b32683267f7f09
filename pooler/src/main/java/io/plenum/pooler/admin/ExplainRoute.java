package io.plenum.pooler.admin;

import io.netty.buffer.Unpooled;
import io.plenum.pooler.admin.ShowTable.Column;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.DeferredBegin;
import io.plenum.pooler.config.PoolMode;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.UserConfig;
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
import io.plenum.routing.TransactionCommand;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.AsciiCase;
import java.nio.charset.StandardCharsets;
import java.util.List;
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
                    new Column("held", ColumnType.TEXT, ""),
                    new Column(
                            "behind_begin",
                            ColumnType.TEXT,
                            "the reason it would have as the first batch behind a BEGIN; nothing for such a command"
                                    + " itself")),
            view -> Stream.empty());

    private static final String ANYBODY = "";
    private static final String NAME = "(?:\"((?:[^\"]|\"\")++)\"|([^\\s\"]++))\\s+";

    private static final Pattern COMMAND =
            Pattern.compile("(?is)\\s*EXPLAIN\\s+ROUTE\\s+(?:FOR\\s+" + NAME + ")?((?:AS\\s+" + NAME + ")?.*)");

    /** No statement begins with AS. */
    private static final Pattern AS_USER = Pattern.compile("(?is)AS\\s+" + NAME + "(.*)");

    private ExplainRoute() {}

    /** The command that the text is; null if it is another. */
    static @Nullable Command parse(String text) {
        Matcher found = COMMAND.matcher(text);
        if (!found.matches()) {
            return null;
        }
        return new Command(Verb.EXPLAIN_ROUTE, TABLE, name(found), found.group(3));
    }

    /** The name that is found first, in quotes or without; empty for none. */
    private static String name(Matcher found) {
        String quoted = found.group(1);
        String plain = found.group(2);
        return quoted != null ? quoted.replace("\"\"", "\"") : plain == null ? "" : plain;
    }

    /**
     * What would become of a text, in a session that has set nothing, of the user that stands in front of it with AS; without,
     * of one for whom nothing is set.
     */
    static Row explain(
            PoolerConfig config,
            @Nullable DatabaseConfig database,
            Catalog catalog,
            @Nullable Holding holding,
            String asked) {
        Matcher as = AS_USER.matcher(asked);
        UserConfig user = config.user(as.matches() ? name(as) : ANYBODY);
        byte[] text = (as.matches() ? as.group(3) : asked).getBytes(StandardCharsets.UTF_8);
        var classifier = new StatementClassifier();
        Reason classified = classifier.classify(Unpooled.wrappedBuffer(text), 0, text.length, true, catalog);
        int traits = classifier.traits();
        Reason reason = decide(begin(config, database, user, catalog), classified, traits);
        String behindBegin = "";
        if (!TransactionCommand.mayBe(classified)) {
            Router router = begin(config, database, user, catalog);
            router.begun(Reason.TRANSACTION, false);
            if (database != null && readsFirst(config, database, user) && catalog.isReadCommitted()) {
                router.tentative();
            }
            behindBegin = decide(router, classified, traits).label();
        }
        return Row.of(
                database == null ? "" : database.name(),
                AsciiCase.lower(reason.target().name()),
                reason.label(),
                leaves(classified, traits),
                catalog == Catalog.OFF ? "off" : catalog.isFresh() ? "read" : "awaited",
                holding == null ? "" : holding.of(reason.target()),
                behindBegin);
    }

    private static Router begin(
            PoolerConfig config, @Nullable DatabaseConfig database, UserConfig user, Catalog catalog) {
        var router = new Router();
        router.begin(database == null ? RoutingPolicy.AUTO : policy(config, database, user), false, true);
        router.hint(database == null ? HintPolicy.OFF : hints(config, database, user), RoutingHint.AUTO);
        if (catalog.isSerializable()) {
            router.serializable();
        }
        return router;
    }

    private static Reason decide(Router router, Reason classified, int traits) {
        router.statement(classified, traits);
        return router.decide();
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

    private static RoutingPolicy policy(PoolerConfig config, DatabaseConfig database, UserConfig user) {
        if (config.poolMode(database, user) == PoolMode.SESSION) {
            return RoutingPolicy.OFF;
        }
        String word = config.readRouting(database, user).word();
        return Objects.requireNonNullElse(RoutingPolicy.named(word), RoutingPolicy.OFF);
    }

    /** Whether a transaction that may write may read on a standby first. */
    private static boolean readsFirst(PoolerConfig config, DatabaseConfig database, UserConfig user) {
        return config.poolMode(database, user) == PoolMode.TRANSACTION
                && config.deferredBegin(database, user) == DeferredBegin.OPTIMISTIC;
    }

    private static HintPolicy hints(PoolerConfig config, DatabaseConfig database, UserConfig user) {
        String word = config.routingHints(database, user).word();
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
