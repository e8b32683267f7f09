package io.plenum.bench.demo;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.PoolerProcess;
import io.plenum.testbed.PostgresNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code plenum demo}. */
@CommandLine.Command(
        name = "demo",
        description = {
            "Starts PostgreSQL (a primary and streaming standbys, real servers) and Plenum in front, and says how to"
                    + " connect.",
            "With --balance: the experiment that shows what Plenum is for."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class DemoCommand implements Callable<Integer> {
    private static final int PORT = 6432;
    private static final int HTTP_PORT = 9127;

    @Option(names = "--replicas", paramLabel = "N", description = "Standbys (default: 2, with --balance 5).")
    private @Nullable Integer replicas;

    @Option(names = "--port", paramLabel = "P", description = "Where Plenum listens (default: 6432, or a free one).")
    private @Nullable Integer port;

    @Option(
            names = "--http-port",
            paramLabel = "H",
            description = "Where its page and metrics are (default: 9127, or a free one; 0: nowhere).")
    private @Nullable Integer httpPort;

    @Option(names = "--for", paramLabel = "SECONDS", description = "End by itself (default: stay until Ctrl-C).")
    private @Nullable Integer seconds;

    @Option(
            names = "--balance",
            description = "Two long-lived connections: tied to Pods, then through Plenum, then with two Pods more.")
    private boolean balance;

    @Option(
            names = "--phase",
            paramLabel = "SECONDS",
            defaultValue = "5",
            description = "With --balance: how long each part is watched (default: ${DEFAULT-VALUE}).")
    private int phaseSeconds = 5;

    @Override
    public Integer call() throws InterruptedException {
        int standbys = replicas != null ? replicas : balance ? BalanceExperiment.REPLICAS : 2;
        System.out.println("starting PostgreSQL: a primary and %d standbys …".formatted(standbys));
        long start = System.nanoTime();
        try (var cluster = DemoCluster.start(standbys, choose("--port", port, PORT), chooseHttp())) {
            System.out.println("ready after %.1f s".formatted((System.nanoTime() - start) / 1e9));
            return balance ? runBalance(cluster) : serve(cluster);
        }
    }

    @SuppressWarnings("SystemConsoleNull") // not on 22 to 24, but on 25 again: null where there is no terminal
    private int runBalance(DemoCluster cluster) throws InterruptedException {
        boolean terminal = System.console() != null && System.console().isTerminal();
        var experiment =
                new BalanceExperiment(cluster, new Board(System.out, terminal), Duration.ofSeconds(phaseSeconds));
        var verdict = experiment.run();
        System.out.println();
        System.out.println(verdict.words());
        System.out.println(verdict.machineLine());
        return verdict.holds() ? 0 : 1;
    }

    private int serve(DemoCluster cluster) throws InterruptedException {
        var url = "postgresql://%s:%s@127.0.0.1:%d".formatted(DemoCluster.USER, DemoCluster.PASSWORD, cluster.port());
        System.out.println();
        System.out.println("""
            PostgreSQL %d   primary %s, standbys %s
            Plenum          127.0.0.1:%d, knows them by the name %s

            JDBC            jdbc:postgresql://127.0.0.1:%d/%s?user=%s&password=%s
            psql            psql "%s/%s"
            which Pod?      psql "%s/%s" -c "BEGIN READ ONLY" -c "SELECT inet_server_addr()" -c "COMMIT"
            console         psql "%s/pgbouncer" -c "SHOW NODES"
            """.formatted(
                cluster.majorVersion(),
                cluster.primary().address(),
                cluster.standbys().stream().map(PostgresNode::address).collect(Collectors.joining(", ")),
                cluster.port(),
                cluster.service(),
                cluster.port(),
                DemoCluster.DATABASE,
                DemoCluster.USER,
                DemoCluster.PASSWORD,
                url,
                DemoCluster.DATABASE,
                url,
                DemoCluster.DATABASE,
                url).strip());
        if (cluster.httpPort() != 0) {
            System.out.println("metrics         http://127.0.0.1:%d/metrics".formatted(cluster.httpPort()));
        }
        System.out.println();
        System.out.println(seconds == null ? "Ctrl-C ends it." : "Ends after %d s.".formatted(seconds));
        waitForEnd(cluster);
        return 0;
    }

    /** Until the time is up, or for ever: then the JVM's end by a signal takes everything down. */
    private void waitForEnd(DemoCluster cluster) throws InterruptedException {
        if (seconds != null) {
            TimeUnit.SECONDS.sleep(seconds);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "demo-end"));
        new CountDownLatch(1).await();
    }

    private int chooseHttp() {
        return httpPort != null && httpPort == 0 ? 0 : choose("--http-port", httpPort, HTTP_PORT);
    }

    /** The port that was asked for, which must be free; else the usual one, else any. */
    private static int choose(String option, @Nullable Integer wanted, int usual) {
        if (wanted != null) {
            if (!isFree(wanted)) {
                throw new BenchException("%s %d: something listens there already".formatted(option, wanted));
            }
            return wanted;
        }
        return isFree(usual) ? usual : PoolerProcess.freePort();
    }

    private static boolean isFree(int port) {
        try (var _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return true;
        } catch (IOException _) {
            return false;
        }
    }
}
