package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.ColumnType.INT4;
import static io.plenum.pooler.admin.ColumnType.INT8;
import static io.plenum.pooler.admin.ColumnType.TEXT;
import static io.plenum.pooler.metrics.Census.Depth.SUMS;

import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.Standing;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.net.InetAddress;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tables of SHOW. Names, order and types of the columns of those that are not our own are those of PgBouncer
 * {@value #PGBOUNCER_VERSION}, read from the program itself.
 */
final class ShowTables {
    /** Whose console this is; tools read it to know which columns there are. */
    static final String PGBOUNCER_VERSION = "1.26.1";

    /** The console's database as PgBouncer calls it; also the user of its pool. */
    static final String CONSOLE = "pgbouncer";

    /** Ours is the second. */
    static final Set<String> CONSOLE_NAMES = Set.of(CONSOLE, "plenum");

    static final long NANOS_PER_SECOND = 1_000_000_000L;

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss z", Locale.ROOT);

    private static final List<ShowTable> ALL = List.of(
            ConnectionTables.clients(),
            config(),
            PoolTables.databases(),
            dnsHosts(),
            dnsZones(),
            PoolTables.lists(),
            mem(),
            PoolTables.peers(),
            PoolTables.peerPools(),
            PoolTables.pools(),
            ConnectionTables.servers(),
            ConnectionTables.sockets(
                    "SOCKETS",
                    "Every client and server connection; no buffer is kept for any, so their positions are 0.",
                    false),
            ConnectionTables.sockets("ACTIVE_SOCKETS", "As SOCKETS, of those alone that are in use.", true),
            state(),
            StatsTables.stats(),
            StatsTables.statsAverages(),
            StatsTables.statsTotals(),
            StatsTables.totals(),
            PoolTables.users(),
            version(),
            RoutingTables.balance(),
            ConnectionTables.fds(),
            RoutingTables.nodes(),
            RoutingTables.pins(),
            RoutingTables.preparedStatements(),
            RoutingTables.routes(),
            plain("client_encoding", "UTF-8"),
            plain("datestyle", "ISO"),
            plain("default_transaction_isolation", "read committed"),
            plain("server_version", serverVersion()),
            plain("standard_conforming_strings", "on"),
            plain("timezone", "GMT"));

    private ShowTables() {}

    /** All tables: PgBouncer's, then ours, then the parameters that drivers ask for. */
    static List<ShowTable> all() {
        return ALL;
    }

    /** The table of that word, however it is written; or null. */
    static @Nullable ShowTable find(String word) {
        for (ShowTable table : ALL) {
            if (table.word().equalsIgnoreCase(word)) {
                return table;
            }
        }
        return null;
    }

    /** What the console calls its server's version, at login too. */
    static String serverVersion() {
        return PGBOUNCER_VERSION + "/bouncer";
    }

    private static ShowTable version() {
        return TableBuilder.table("VERSION", "Whose console this is, and which Plenum.", SUMS)
                .column("version", TEXT)
                .rows(view -> Stream.of(Row.of(Console.title(view.standing().version()))));
    }

    private static ShowTable state() {
        return TableBuilder.table("STATE", "Whether all is paused; with a third row while it is suspended.", SUMS)
                .column("key", TEXT)
                .column("value", TEXT)
                .rows(view -> {
                    Standing standing = view.standing();
                    Stream<Row> rows = Stream.of(
                            Row.of("active", yes(!standing.allPaused() && !standing.suspended())),
                            Row.of("paused", yes(standing.allPaused())));
                    return standing.suspended() ? Stream.concat(rows, Stream.of(Row.of("suspended", "yes"))) : rows;
                });
    }

    private static String yes(boolean holds) {
        return holds ? "yes" : "no";
    }

    private static ShowTable config() {
        return TableBuilder.table("CONFIG", "The settings in force. A secret is shown as stars.", SUMS)
                .column("key", TEXT)
                .column("value", TEXT)
                .column("default", TEXT)
                .column("changeable", TEXT, "`no` if a change takes effect at a restart")
                .rows(view -> view.config().show().stream()
                        .map(line -> Row.of(
                                line.key(), line.value(), line.defaultValue(), line.changeable() ? "yes" : "no")));
    }

    private static ShowTable dnsHosts() {
        return TableBuilder.table("DNS_HOSTS", "The names of hosts that DNS was asked for.", SUMS)
                .column("hostname", TEXT)
                .column("ttl", INT8, "seconds until it is asked again")
                .column("addrs", TEXT, "the addresses, with commas between; SHOW NODES has what is at them")
                .rows(view -> view.standing().lookUps().names().stream()
                        .map(name -> Row.of(
                                name.name(),
                                name.seconds(),
                                name.addresses().stream()
                                        .map(InetAddress::getHostAddress)
                                        .collect(Collectors.joining(",")))));
    }

    private static ShowTable dnsZones() {
        return TableBuilder.table("DNS_ZONES", "The zones of those names: what is behind the first dot.", SUMS)
                .column("zonename", TEXT)
                .column("serial", INT8, "always 0: names are looked up again when their TTL ends, and no zone is asked")
                .column("count", INT4, "names in it")
                .rows(view -> view.standing().lookUps().zones().entrySet().stream()
                        .map(zone -> Row.of(zone.getKey(), 0L, zone.getValue())));
    }

    private static ShowTable mem() {
        return TableBuilder.table("MEM", "The memory of the Java process: the heap, and what is outside of it.", SUMS)
                .column("name", TEXT)
                .column("size", INT4, "unit of the next two, in bytes")
                .column("used", INT4)
                .column("free", INT4, "taken from the system and not in use")
                .column("memtotal", INT4, "in bytes, at most 2147483647")
                .rows(view -> Stream.of(
                        memory("heap", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage()),
                        memory("non_heap", ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage())));
    }

    private static Row memory(String name, MemoryUsage usage) {
        int unit = 1024;
        return Row.of(
                name,
                unit,
                usage.getUsed() / unit,
                (usage.getCommitted() - usage.getUsed()) / unit,
                usage.getCommitted());
    }

    /** A moment as PgBouncer shows it. */
    static String time(long millis) {
        return TIME.format(Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()));
    }

    private static ShowTable plain(String name, String value) {
        return TableBuilder.table(name, "What a driver asks every server.", SUMS)
                .column(name, TEXT)
                .rows(view -> Stream.of(Row.of(value)));
    }
}
