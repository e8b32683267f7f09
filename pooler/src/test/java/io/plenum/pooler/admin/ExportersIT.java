package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.AdministeredPooler.ADMIN;
import static io.plenum.pooler.admin.AdministeredPooler.STATS;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The programs that watch PgBouncer, with the words that they send and the way in which they read the answers: what their
 * drivers say at the start, a user of {@code stats_users}, and every cell that they take for a number is one.
 */
class ExportersIT {
    /** What a driver says at the start beside user and database. */
    private static final Map<String, String> LIB_PQ =
            Map.of("extra_float_digits", "2", "datestyle", "ISO, MDY", "client_encoding", "UTF8");

    private static final Map<String, String> LIBPQ = Map.of("application_name", "exporter");

    /** Settings that larseen's exporter takes for numbers; those of PgBouncer 1.26 that it knows. */
    private static final Set<String> NUMBERS = Set.of(
            "listen_backlog",
            "max_client_conn",
            "default_pool_size",
            "min_pool_size",
            "reserve_pool_size",
            "reserve_pool_timeout",
            "max_db_connections",
            "max_user_connections",
            "autodb_idle_timeout",
            "server_reset_query_always",
            "server_check_delay",
            "query_timeout",
            "query_wait_timeout",
            "client_idle_timeout",
            "client_login_timeout",
            "idle_transaction_timeout",
            "server_lifetime",
            "server_idle_timeout",
            "server_connect_timeout",
            "server_login_retry",
            "server_round_robin",
            "suspend_timeout",
            "disable_pqexec",
            "dns_max_ttl",
            "dns_nxdomain_ttl",
            "dns_zone_check_period",
            "max_packet_size",
            "pkt_buf",
            "sbuf_loopcnt",
            "tcp_defer_accept",
            "tcp_socket_buffer",
            "tcp_keepcnt",
            "tcp_keepidle",
            "tcp_keepintvl",
            "verbose",
            "stats_period",
            "log_connections",
            "log_disconnections",
            "log_pooler_errors",
            "application_name_add_host");

    private static final Set<String> LISTS = Set.of(
            "databases",
            "users",
            "pools",
            "free_clients",
            "used_clients",
            "login_clients",
            "free_servers",
            "used_servers",
            "dns_names",
            "dns_zones",
            "dns_queries");

    /** As `%Y-%m-%d %H:%M:%S %Z` of Python reads it. */
    private static final Pattern TIME = Pattern.compile("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [A-Z]+");

    private static AdministeredPooler pooler;

    /** A program, what its driver says at the start, and the texts that it sends one after the other. */
    record Program(String name, Map<String, String> startup, List<String> texts) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Program> programs() {
        return List.of(
                new Program(
                        "pgbouncer_exporter",
                        LIB_PQ,
                        List.of(
                                "SHOW STATS",
                                "SHOW LISTS;",
                                "SHOW CONFIG;",
                                "SHOW databases;",
                                "SHOW stats_totals;",
                                "SHOW pools;",
                                "SHOW VERSION;")),
                new Program(
                        "larseen",
                        LIB_PQ,
                        List.of("SHOW config;", "SHOW databases;", "SHOW lists;", "SHOW pools;", "SHOW stats;")),
                new Program("jbub", LIB_PQ, List.of("SHOW VERSION", "SHOW STATS", "SHOW POOLS", "SHOW LISTS")),
                new Program("spreaker", LIBPQ, List.of("SHOW STATS", "SHOW POOLS", "SHOW DATABASES", "SHOW CONFIG")),
                new Program(
                        "datadog",
                        LIBPQ,
                        List.of(
                                "SHOW STATS",
                                "SHOW POOLS",
                                "SHOW DATABASES",
                                "SHOW CLIENTS",
                                "SHOW SERVERS",
                                "SHOW CONFIG",
                                "SHOW VERSION;")),
                new Program(
                        "pgbouncerhero",
                        LIBPQ,
                        List.of(
                                "SHOW databases",
                                "SHOW stats",
                                "SHOW lists",
                                "SHOW pools",
                                "SHOW clients",
                                "SHOW servers",
                                "SHOW users",
                                "SHOW config",
                                "SHOW state",
                                "SHOW VERSION")));
    }

    @BeforeAll
    static void start(@TempDir Path directory) throws IOException {
        pooler = AdministeredPooler.start(directory, "query_wait_timeout = 7.5");
        try (WireClient user = pooler.wire("app")) {
            user.value("SELECT 1"); // so that there is something to see
        }
    }

    @AfterAll
    static void stop() {
        pooler.close();
    }

    @ParameterizedTest
    @MethodSource("programs")
    void programReadsWhatItCameFor(Program program) throws Exception {
        var columns = ExportersTest.columns(program.name());
        try (WireClient user = pooler.wire("app");
                WireClient console = connect(program.startup(), STATS)) {
            user.query("BEGIN; SELECT 1");
            for (String text : program.texts()) {
                List<Message> simple = console.query(text);
                check(program, text, columns, simple);
                check(program, text, columns, extended(console, text));
            }
        }
    }

    /** psycopg with prepared statements, pgjdbc and the like. */
    private static List<Message> extended(WireClient console, String text) throws IOException {
        console.send(
                Frames.parse("", text),
                Frames.bind("", ""),
                Frames.describePortal(""),
                Frames.execute(),
                Frames.sync());
        return console.readUntilReady();
    }

    private static void check(Program program, String text, Map<String, List<String>> columns, List<Message> answer) {
        List<List<@Nullable String>> rows = new ArrayList<>();
        List<String> names = List.of();
        for (Message message : answer) {
            switch (message.type()) {
                case 'T' -> names = message.columnNames();
                case 'D' -> rows.add(message.columns());
                case 'E', 'N' -> throw new AssertionError(program + ": " + text + ": " + message.text());
                default -> {}
            }
        }
        assertThat(rows).as(text).isNotEmpty();
        String table = text.replaceAll("SHOW |;", "").toUpperCase(Locale.ROOT);
        for (String word : columns.getOrDefault(table, List.of())) {
            String name = word.replace("=", "");
            assertThat(names).as(program + ": " + text).contains(name);
            for (List<@Nullable String> row : rows) {
                String cell = row.get(names.indexOf(name));
                if (word.endsWith("=")) {
                    assertThat(cell).as(program + ": " + text + ": " + name).isNotNull();
                    assertThat(Double.parseDouble(Objects.requireNonNull(cell))).isNotNegative();
                } else if (name.endsWith("_time")) {
                    assertThat(cell).as(program + ": " + text + ": " + name).matches(TIME);
                }
            }
        }
        switch (table) {
            case "CONFIG" ->
                assertThat(byKey(rows))
                        .hasEntrySatisfying(
                                "query_wait_timeout", value -> assertThat(value).isEqualTo("7.5"))
                        .containsKeys(NUMBERS.toArray(String[]::new))
                        .allSatisfy((key, value) -> {
                            if (NUMBERS.contains(key)) {
                                assertThat(Double.parseDouble(value)).as(key).isNotNegative();
                            }
                        });
            case "LISTS" -> assertThat(byKey(rows)).containsKeys(LISTS.toArray(String[]::new));
            case "VERSION" -> assertThat(rows.getFirst().getFirst()).matches("PgBouncer \\d+\\.\\d+\\.\\d+.*");
            case "DATABASES", "POOLS", "STATS" ->
                assertThat(rows)
                        .as("a row for the database")
                        .anySatisfy(row -> assertThat(row.getFirst()).isEqualTo("app"));
            default -> {}
        }
    }

    private static Map<String, String> byKey(List<List<@Nullable String>> rows) {
        Map<String, String> found = new HashMap<>();
        rows.forEach(
                row -> found.put(Objects.requireNonNull(row.getFirst()), Objects.requireNonNullElse(row.get(1), "")));
        return found;
    }

    /** pgbouncerhero's buttons, which are for {@code admin_users}; its driver wants a command without rows. */
    @Test
    void dashboardReloadsAndResumes() throws Exception {
        try (WireClient console = connect(LIBPQ, ADMIN);
                WireClient watcher = connect(LIBPQ, STATS)) {
            assertThat(console.query("RELOAD").getFirst().commandTag()).isEqualTo("RELOAD");
            assertThat(console.query("SUSPEND").getFirst().commandTag()).isEqualTo("SUSPEND");
            assertThat(console.query("RESUME").getFirst().commandTag()).isEqualTo("RESUME");
            assertThat(watcher.query("RELOAD").getFirst().field('M')).isEqualTo("admin access needed");
        }
    }

    private static WireClient connect(Map<String, String> startup, String user) throws IOException {
        Map<String, String> all = new HashMap<>(startup);
        all.put("user", user);
        all.put("database", "pgbouncer");
        return WireClient.connect("127.0.0.1", pooler.port(), all, null);
    }
}
