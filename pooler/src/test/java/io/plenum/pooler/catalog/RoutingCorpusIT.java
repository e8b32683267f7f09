package io.plenum.pooler.catalog;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.routing.Reason;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * More than 1,500 labelled statements, each straight to a primary and to a standby, and through the pooler in both
 * protocols: what only the primary may run never comes to the standby, and reads do. PostgreSQL is the judge of what is a
 * read: a standby runs it, says the same as the primary, and has nothing left of it.
 *
 * <p>Statements that write run as read-only ones, so that they fail where they arrive and the next one finds all as it was.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RoutingCorpusIT {
    private static final Path ROUTING = Path.of("../routing/src/test/resources/corpus");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Map<String, String> HARMLESS = Map.of("options", "-c default_transaction_read_only=on");

    /** What a session can hold that outlives a transaction. */
    private static final String SESSION = "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') || ' ' ||"
            + " (SELECT count(*) FROM pg_prepared_statements) || ' ' || (SELECT count(*) FROM pg_cursors) || ' ' ||"
            + " (SELECT coalesce(string_agg(name || setting, ','), '') FROM pg_settings WHERE source = 'session'"
            + " AND name NOT LIKE 'transaction\\_%')"; // the modes of a transaction, which begin anew with each

    private enum Label {
        READ,
        PRIMARY,
        EITHER
    }

    private record Labelled(Label label, String sql) {}

    private enum Protocol {
        SIMPLE,
        EXTENDED
    }

    private final List<Labelled> corpus = new ArrayList<>();
    private PostgresCluster cluster;
    private RunningPooler pooler;
    private WireClient console;

    @BeforeAll
    void start() throws IOException {
        cluster = PostgresCluster.builder().standbys(1).start();
        try (WireClient direct = direct(cluster.primary())) {
            direct.rows(Files.readString(ROUTING.resolve("schema.sql")));
            direct.rows("DROP FUNCTION app.lower(text)"); // or every call of lower() might mean it
            direct.rows(resource("schema.sql"));
        }
        cluster.awaitReplay();
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        pooler = RunningPooler.ofDatabases(
                "app = host=%s port=%d".formatted(hosts, cluster.primary().port()),
                "event_loops = 1",
                "deferred_begin = off", // each text is asked about alone
                "admin_users = postgres");
        console = RunningPooler.wire(pooler.port(), Map.of("database", "pgbouncer"), null);
        read(resource("statements.txt"), word -> Label.valueOf(word.toUpperCase(Locale.ROOT)));
        read(Files.readString(ROUTING.resolve("statements.txt")), RoutingCorpusIT::labelOfReason);
        corpus.removeIf(statement -> statement.sql().contains("program")); // which would run on this machine
        awaitReads();
    }

    @AfterAll
    void stop() throws IOException {
        console.close();
        pooler.close();
        cluster.close();
    }

    private static Label labelOfReason(String reason) {
        return switch (Reason.valueOf(reason.toUpperCase(Locale.ROOT))) {
            case READ, READ_ONLY_TRANSACTION -> Label.READ;
            case EMPTY, TRANSACTION, TRANSACTION_END, SYSTEM_CATALOG, COPY, NOT_UNDERSTOOD -> Label.EITHER;
            default -> Label.PRIMARY;
        };
    }

    private void read(String text, Function<String, Label> labels) {
        Label label = Label.EITHER;
        for (String line : text.split("\n", -1)) {
            if (line.startsWith("== ")) {
                label = labels.apply(line.substring(3).strip());
            } else if (!line.isEmpty() && !line.startsWith("# ")) {
                corpus.add(new Labelled(label, line.replace('⏎', '\n').replace('→', '\t')));
            }
        }
    }

    private static String resource(String name) throws IOException {
        try (InputStream file = RoutingCorpusIT.class.getResourceAsStream(name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Until the roles of the nodes and the names of the database are known. */
    private void awaitReads() throws IOException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        try (WireClient client = pooler.wire()) {
            while (!ranOn(client, Protocol.SIMPLE, "SELECT * FROM customers").equals("replica")) {
                assertThat(System.nanoTime()).as("reads come to the standby").isLessThan(until);
            }
        }
    }

    @Test
    void thereAreFifteenHundredStatementsAndMore() {
        assertThat(corpus.stream().map(Labelled::sql).distinct().count()).isGreaterThanOrEqualTo(1_500);
    }

    @Test
    void whatIsLabelledAReadIsOneForPostgres() throws IOException {
        List<String> faults = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        try (WireClient primary = direct(cluster.primary());
                WireClient standby = direct(cluster.standbys().getFirst())) {
            String before = standby.value(SESSION);
            for (Labelled statement : corpus) {
                if (statement.label() == Label.READ) {
                    String sql = statement
                            .sql()
                            .replaceAll("(?i)(system|bernoulli) *\\([0-9.]+\\)", "$1 (100)"); // of chance
                    String expected = summary(run(primary, Protocol.SIMPLE, sql));
                    String found = summary(run(standby, Protocol.SIMPLE, sql));
                    settle(primary);
                    settle(standby);
                    // What both refuse alike, for it has parameters, says nothing of where it may run.
                    if (expected.matches("[0-9][0-9A-Z]{4}")) {
                        refused.add(expected + ": " + statement.sql());
                    }
                    if (!found.equals(expected)) {
                        faults.add(statement.sql() + ": " + expected + ", on the standby " + found);
                    }
                }
            }
            assertThat(standby.value(SESSION)).isEqualTo(before);
        }
        assertThat(faults).isEmpty();
        assertThat(refused).as("reads that PostgreSQL does not run at all").hasSizeLessThan(10);
    }

    @Test
    void whatOnlyThePrimaryMayRunNeverComesToAStandby() throws IOException {
        List<String> faults = new ArrayList<>();
        for (Protocol protocol : Protocol.values()) {
            for (Labelled statement : corpus) {
                if (statement.label() == Label.PRIMARY) {
                    try (WireClient client = pooler.wire(HARMLESS)) {
                        client.timeout(PATIENCE);
                        String node = ranOn(client, protocol, statement.sql());
                        if (!node.equals("primary")) {
                            faults.add(protocol + " on " + node + ": " + statement.sql());
                        }
                    }
                }
            }
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void readsGoToTheStandby() throws IOException {
        for (Protocol protocol : Protocol.values()) {
            List<String> elsewhere = new ArrayList<>();
            int reads = 0;
            try (WireClient client = pooler.wire()) {
                client.timeout(PATIENCE);
                for (Labelled statement : corpus) {
                    if (statement.label() == Label.READ) {
                        reads++;
                        String node = ranOn(client, protocol, statement.sql());
                        if (!node.equals("replica")) {
                            elsewhere.add(node + ": " + statement.sql());
                        }
                    }
                }
            }
            System.out.printf(
                    "%s: %d reads, %d of them not on the standby%n%s%n",
                    protocol, reads, elsewhere.size(), String.join("\n", elsewhere));
            assertThat(elsewhere.size() * 20).as(elsewhere.toString()).isLessThanOrEqualTo(reads);
        }
    }

    /** Whose counter of transactions a statement moved: the node's role, several, or nothing. */
    private String ranOn(WireClient client, Protocol protocol, String sql) throws IOException {
        Map<String, Long> before = transactions();
        try {
            run(client, protocol, sql);
            settle(client);
        } catch (EOFException | SocketException closed) {
            return "primary"; // the pooler refused it, and sent it nowhere
        }
        List<String> moved = new ArrayList<>();
        transactions().forEach((role, count) -> {
            if (count > before.getOrDefault(role, 0L)) {
                moved.add(role);
            }
        });
        return String.join(" and ", moved);
    }

    private Map<String, Long> transactions() throws IOException {
        Map<String, Long> counts = new HashMap<>();
        for (List<@Nullable String> node : console.rows("SHOW NODES")) {
            counts.put(String.valueOf(node.get(3)), Long.valueOf(String.valueOf(node.get(10))));
        }
        return counts;
    }

    private static List<Message> run(WireClient client, Protocol protocol, String sql) throws IOException {
        switch (protocol) {
            case SIMPLE -> client.send(query(sql));
            case EXTENDED -> client.send(parse("", sql), bind("", ""), execute(), sync());
        }
        return client.readUntilReady();
    }

    private static void settle(WireClient client) throws IOException {
        if (client.transactionStatus() != 'I') {
            client.query("ROLLBACK");
        }
    }

    /** Its errors and tags, which count the rows. */
    private static String summary(List<Message> answer) {
        return answer.stream()
                .filter(message -> message.type() == 'E' || message.type() == 'C')
                .map(message -> message.type() == 'E' ? message.field('C') : message.commandTag())
                .collect(Collectors.joining(" "));
    }

    private static WireClient direct(PostgresNode node) throws IOException {
        WireClient client = WireClient.connect(
                node.host(), node.port(), Map.of("user", PostgresCluster.SUPERUSER, "database", "app"), null);
        client.timeout(PATIENCE);
        return client;
    }
}
