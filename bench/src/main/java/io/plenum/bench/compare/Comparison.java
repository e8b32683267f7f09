package io.plenum.bench.compare;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.MachineUsage;
import io.plenum.bench.process.PoolerProcess;
import io.plenum.testbed.PostgresNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** Starts the rivals over one PostgreSQL and runs each workload against them in turn. */
final class Comparison implements AutoCloseable {
    static final String DATABASE = "bench";
    static final String USER = "bench";
    static final String PGBOUNCER = "pgbouncer";
    static final String DIRECT = "direct";

    private static final int SCALE = 10;

    /** More than one: what code does when the first client comes and the last one leaves is part of a round too. */
    private static final int WARM_RUNS = 4;

    private static final int SYSTEM_CALL_TRANSACTIONS = 4_000;

    /** A result of 1 MB is a thousand system calls for some, and strace makes each slow. */
    private static final int SYSTEM_CALL_RESULTS = 100;

    private final Path directory;
    private final PostgresNode postgres;
    private final Pgbench pgbench;
    private final int clients;
    private final int poolSize;
    private final List<Rival> rivals = new ArrayList<>();
    private final Consumer<String> progress;

    /**
     * Makes database and tables.
     *
     * @param directory for ini files, scripts and logs; its own
     * @param progress is told what happens, a line at a time
     */
    Comparison(
            Path directory, PostgresNode postgres, Path pgbench, int clients, int poolSize, Consumer<String> progress) {
        this.directory = directory;
        this.postgres = postgres;
        this.pgbench = new Pgbench(pgbench, directory, DATABASE, USER);
        this.clients = clients;
        this.poolSize = poolSize;
        this.progress = progress;
        progress.accept("making tables of " + SCALE * 100_000 + " accounts");
        postgres.execute(
                "CREATE ROLE %s SUPERUSER LOGIN".formatted(USER),
                "CREATE DATABASE %s OWNER %s".formatted(DATABASE, USER));
        this.pgbench.initialise(postgres.host(), postgres.port(), SCALE);
        try (var connection = postgres.connect(DATABASE, USER, "");
                var statement = connection.createStatement()) {
            for (var sql : Workload.SETUP) {
                statement.execute(sql);
            }
        } catch (java.sql.SQLException e) {
            throw new BenchException("cannot make the tables", e);
        }
    }

    void addDirect() {
        rivals.add(new Rival(DIRECT, postgres.host(), postgres.port(), null, false));
    }

    void addPgbouncer(List<String> command) {
        add(PGBOUNCER, command, "", false);
    }

    /** @param ownSettings lines of the section of Plenum's own settings */
    void addPlenum(String name, List<String> command, List<String> ownSettings) {
        // An own command may be a pooler that does not know the section.
        add(name, command, ownSettings.isEmpty() ? "" : "[plenum]\n" + String.join("\n", ownSettings) + "\n", true);
    }

    private void add(String name, List<String> command, String section, boolean warms) {
        int port = PoolerProcess.freePort();
        var ini = directory.resolve(name + ".ini");
        var users = directory.resolve("userlist.txt");
        try {
            Files.writeString(users, "\"%s\" \"\"\n".formatted(USER));
            Files.writeString(
                    ini, """
                        [databases]
                        %s = host=%s port=%d

                        [pgbouncer]
                        listen_addr = 127.0.0.1
                        listen_port = %d
                        unix_socket_dir =
                        auth_type = trust
                        auth_file = %s
                        pool_mode = transaction
                        default_pool_size = %d
                        max_client_conn = 20000
                        max_prepared_statements = 200
                        server_tls_sslmode = disable
                        log_connections = 0
                        log_disconnections = 0
                        %s\
                        """.formatted(DATABASE, postgres.host(), postgres.port(), port, users, poolSize, section));
        } catch (IOException e) {
            throw new BenchException("cannot write " + ini, e);
        }
        progress.accept("starting " + name);
        rivals.add(new Rival(name, "127.0.0.1", port, PoolerProcess.start(command, ini, port, DATABASE, USER), warms));
    }

    /** All rivals in the order of the tables. */
    List<Rival> rivals() {
        return Collections.unmodifiableList(rivals);
    }

    /**
     * Runs each workload in rounds; every rival has its turn in each round, and who begins alternates.
     *
     * @param warmSeconds how long a rival that compiles is warmed with each workload before the first round, in all
     */
    void run(List<Workload> workloads, int rounds, int seconds, int warmSeconds, Results results) {
        for (var workload : workloads) {
            progress.accept("%s: %s".formatted(workload.label(), workload.description()));
            for (var rival : rivals) {
                int warm = rival.warms() ? warmSeconds : Math.min(2, warmSeconds);
                for (int run = 0; run < WARM_RUNS && warm > 0; run++) {
                    pgbench.run(workload, rival.host(), rival.port(), clients, Math.ceilDiv(warm, WARM_RUNS));
                }
            }
            for (int round = 1; round <= rounds; round++) {
                var order = new ArrayList<>(rivals);
                if (round % 2 == 0) {
                    Collections.reverse(order);
                }
                Map<String, Sample> samples = new LinkedHashMap<>();
                for (var rival : order) {
                    samples.put(rival.name(), sample(workload, rival, seconds));
                }
                results.add(workload, samples);
                for (var rival : rivals) {
                    progress.accept("  round %d  %-16s %s"
                            .formatted(
                                    round,
                                    rival.name(),
                                    Report.line(Objects.requireNonNull(samples.get(rival.name())))));
                }
            }
        }
    }

    private Sample sample(Workload workload, Rival rival, int seconds) {
        var machineBefore = MachineUsage.now();
        var before = rival.usage();
        var result = pgbench.run(workload, rival.host(), rival.port(), clients, seconds);
        var after = rival.usage();
        var machine = MachineUsage.now();
        return new Sample(
                result.transactions(),
                result.perSecond(),
                result.percentile(0.50),
                result.percentile(0.95),
                result.percentile(0.99),
                (double) (after.userMicros() - before.userMicros()) / result.transactions(),
                (double) (after.systemMicros() - before.systemMicros()) / result.transactions(),
                after.residentKib() / 1024.0,
                machine.idleShareSince(machineBefore),
                machine.stealShareSince(machineBefore));
    }

    /** System calls per transaction of each pooler, in a short run of its own. */
    Map<Workload, Map<String, SystemCalls>> countSystemCalls(List<Workload> workloads) {
        Map<Workload, Map<String, SystemCalls>> counts = new EnumMap<>(Workload.class);
        for (var workload : workloads) {
            Map<String, SystemCalls> ofWorkload = new LinkedHashMap<>();
            for (var rival : rivals) {
                if (rival.process() != null) {
                    int transactions = workload == Workload.RESULT ? SYSTEM_CALL_RESULTS : SYSTEM_CALL_TRANSACTIONS;
                    int perClient = Math.max(1, transactions / clients);
                    var calls = SystemCalls.during(
                            rival.process().pid(),
                            directory,
                            () -> pgbench.runCount(workload, rival.host(), rival.port(), clients, perClient));
                    ofWorkload.put(rival.name(), calls);
                    progress.accept("  system calls  %-10s %-16s %6.2f  (%s)"
                            .formatted(workload.label(), rival.name(), calls.total(), calls.mostFrequent()));
                }
            }
            counts.put(workload, ofWorkload);
        }
        return counts;
    }

    /**
     * What an idle client costs each pooler. To be measured before anything else: in a heap that a load has made large nobody sees
     * what is added, and in a small one what logging in leaves to the collector counts too.
     */
    Map<String, IdleClients> measureIdleClients(int idleClients) {
        Map<String, IdleClients> costs = new LinkedHashMap<>();
        for (var rival : rivals) {
            if (rival.process() != null) {
                try {
                    var cost = IdleClients.measure(rival, DATABASE, USER, idleClients);
                    costs.put(rival.name(), cost);
                    progress.accept("  idle clients  %-16s %.1f KiB each of %d"
                            .formatted(rival.name(), cost.kibPerClient(), cost.clients()));
                } catch (IOException e) {
                    throw new BenchException("cannot hold %d clients on %s".formatted(idleClients, rival.name()), e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new BenchException("interrupted", e);
                }
            }
        }
        return costs;
    }

    @Override
    public void close() {
        rivals.forEach(Rival::close);
    }
}
