package io.plenum.pooler.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.Mutator.Kept;
import io.plenum.pooler.link.Mutator.Protocol;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Whatever a client leaves in a session, and however its transaction or the client itself ends, the next client of a pool
 * of one finds nothing of it.
 *
 * <p>The next client looks twice: while the other is still there, unless that keeps the server, and when it is gone.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LeakMatrixIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final PostgresServer server = server();
    private RunningPooler pooler;
    private PoolView pool;
    private WireClient control;
    private LeftBehind left;
    private Next plain;
    private Next withSettings;
    private int cells;
    private int keptServers;
    private int sameBackends;

    /** A client that looks, and what it is to find. */
    private final class Next {
        private final Map<String, String> parameters;
        private final Map<String, String> clean;
        private WireClient client;

        Next(Map<String, String> parameters) throws IOException {
            this.parameters = parameters;
            try (WireClient own = direct(parameters)) {
                clean = left.foundBy(own);
            }
            client = open();
        }

        private WireClient open() throws IOException {
            WireClient opened = pooler.wire(parameters);
            opened.timeout(PATIENCE);
            return opened;
        }

        Map<String, String> found() throws IOException {
            try {
                return left.foundBy(client);
            } catch (EOFException | SocketException closed) {
                client = open();
                return Map.of("the connection", "closed");
            }
        }
    }

    PostgresServer server() {
        return RunningPooler.sharedServer();
    }

    List<Ending> endings() {
        return List.of(Ending.values());
    }

    @BeforeAll
    void start() throws Exception {
        pooler = RunningPooler.start(server, "default_pool_size = 1", PoolView.ALLOWED);
        pool = new PoolView(pooler);
        control = direct(Map.of());
        Mutators.prepare(control);
        left = LeftBehind.startingAt(control);
        plain = new Next(Map.of());
        withSettings = new Next(LeftBehind.OWN);
    }

    @AfterAll
    void stop() throws Exception {
        System.out.printf(
                "%d cells: %d clients kept their server; %d of the next clients had the same backend, %d a new one%n",
                cells, keptServers, sameBackends, cells - sameBackends);
        plain.client.close();
        withSettings.client.close();
        pool.close();
        pooler.close();
        control.close();
    }

    @Test
    void thereAreSixtyWaysAndMore() {
        assertThat(Mutators.all()).hasSizeGreaterThanOrEqualTo(60);
        assertThat(Mutators.all().stream().map(Mutator::toString)).doesNotHaveDuplicates();
    }

    @TestFactory
    Stream<DynamicTest> nextClientFindsNothing() {
        return Mutators.all().stream()
                .map(mutator -> dynamicTest(mutator.toString(), () -> {
                    List<String> found = new ArrayList<>();
                    for (Protocol protocol : Protocol.values()) {
                        for (Ending ending : endings()) {
                            if (mutator.speaks(protocol)) {
                                cell(mutator, ending, protocol, found);
                            }
                        }
                    }
                    if (mutator.isUndetected()) {
                        System.out.println("not detected: " + mutator);
                        assertThat(found)
                                .as("it is on the list of what is not detected")
                                .isNotEmpty();
                    } else {
                        assertThat(found).isEmpty();
                    }
                }));
    }

    @Test
    void noMoreThanSixAreNotDetected() {
        assertThat(Mutators.all().stream().filter(Mutator::isUndetected)).hasSizeLessThanOrEqualTo(6);
    }

    private void cell(Mutator mutator, Ending ending, Protocol protocol, List<String> found) throws IOException {
        String name = protocol + " " + ending;
        Next next = cells++ % 2 == 0 ? plain : withSettings;
        String backend;
        try (WireClient client = pooler.wire(Map.of("application_name", "leaver"))) {
            client.timeout(PATIENCE);
            backend = client.value("SELECT pg_backend_pid()");
            ending.play(client, mutator, protocol);
            if (ending.leavesClient()) {
                if (pool.serversAtWork() == 0) {
                    look(next, name + ", while it is there", found);
                } else {
                    keptServers++;
                }
            }
        }
        if (look(next, name + ", when it is gone", found).equals(backend)) {
            sameBackends++;
        }
    }

    /** What is found that should not be is added to {@code found}; gives the backend. */
    private String look(Next next, String name, List<String> found) throws IOException {
        Map<String, String> there = next.found();
        Map<String, String> differences = LeftBehind.differences(next.clean, there);
        String backend = there.getOrDefault("(backend)", "");
        if (!differences.isEmpty()) {
            found.add(name + ": " + differences);
            if (!backend.isEmpty()) { // or all that follow would find it too
                control.rows("SELECT pg_terminate_backend(" + backend + ", 5000)");
            }
        }
        return backend;
    }

    /** Or the matrix would find nothing because it does not look there. */
    @TestFactory
    Stream<DynamicTest> sessionOfItsOwnFindsIt() {
        return Mutators.all().stream()
                .filter(mutator -> mutator.kept() != Kept.NO)
                .map(mutator -> dynamicTest(mutator.toString(), () -> {
                    try (WireClient own = direct(Map.of())) {
                        Map<String, String> clean = left.foundBy(own);
                        mutator.run(own, mutator.speaks(Protocol.SIMPLE) ? Protocol.SIMPLE : Protocol.EXTENDED);
                        assertThat(LeftBehind.differences(clean, left.foundBy(own)))
                                .isNotEmpty();
                    }
                }));
    }

    private WireClient direct(Map<String, String> parameters) throws IOException {
        return RunningPooler.wire(server.port(), parameters, null);
    }
}
