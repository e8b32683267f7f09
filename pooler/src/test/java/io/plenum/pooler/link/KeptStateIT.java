package io.plenum.pooler.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.Mutator.Kept;
import io.plenum.pooler.link.Mutator.Protocol;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A client of the pool finds in its next transactions what a session of its own would have kept for it, no more and no
 * less, with strangers on its servers in between. {@code -Dleak.matrix=full} adds ends of a transaction that are a rollback
 * to PostgreSQL.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KeptStateIT {
    private static final boolean FULL = "full".equals(System.getProperty("leak.matrix"));
    private static final int LOOKS = 2;

    private final PostgresServer server = server();
    private RunningPooler pooler;
    private long swaps;
    private LeftBehind left;

    PostgresServer server() {
        return RunningPooler.sharedServer();
    }

    @BeforeAll
    void start() throws Exception {
        pooler = RunningPooler.start(server, "default_pool_size = 2", PoolView.ALLOWED);
        try (WireClient own = RunningPooler.wire(server.port(), Map.of(), null)) {
            Mutators.prepare(own);
            left = LeftBehind.startingAt(own);
        }
    }

    @AfterAll
    void stop() throws Exception {
        pooler.close();
        assertThat(swaps).as("the servers did change").isGreaterThan(100);
    }

    @TestFactory
    Stream<DynamicTest> nextTransactionFindsWhatASessionKeeps() {
        return Mutators.all().stream()
                .filter(mutator -> mutator.kept() == Kept.YES || mutator.kept() == Kept.NO)
                .map(mutator -> dynamicTest(mutator.toString(), () -> {
                    List<String> differences = new ArrayList<>();
                    try (var swappers = new Swappers(pooler)) {
                        compare(mutator, swappers, differences);
                        swaps += swappers.swaps();
                    }
                    assertThat(differences).isEmpty();
                }));
    }

    private void compare(Mutator mutator, Swappers swappers, List<String> differences) throws IOException {
        for (Protocol protocol : Protocol.values()) {
            for (Ending ending : Ending.values()) {
                if (mutator.speaks(protocol) && ending.leavesClient() && (FULL || ending.isOwnKind())) {
                    compare(mutator, ending, protocol, swappers, differences);
                }
            }
        }
    }

    private void compare(Mutator mutator, Ending ending, Protocol protocol, Swappers swappers, List<String> differences)
            throws IOException {
        List<Map<String, String>> direct = found(server.port(), mutator, ending, protocol, () -> {});
        List<Map<String, String>> pooled = found(pooler.port(), mutator, ending, protocol, swappers);
        for (int look = 0; look < LOOKS; look++) {
            Map<String, String> found = LeftBehind.differences(direct.get(look), pooled.get(look));
            if (!found.isEmpty()) {
                differences.add(protocol + " " + ending + ", look " + look + ": " + found);
                return;
            }
        }
    }

    private List<Map<String, String>> found(
            int port, Mutator mutator, Ending ending, Protocol protocol, Strangers strangers) throws IOException {
        try (WireClient client = RunningPooler.wire(port, LeftBehind.OWN, null)) {
            client.timeout(Duration.ofSeconds(10));
            ending.play(client, mutator, protocol);
            List<Map<String, String>> found = new ArrayList<>();
            for (int look = 0; look < LOOKS; look++) {
                strangers.meanwhile();
                Map<String, String> there = new LinkedHashMap<>(left.foundBy(client));
                there.remove("random()");
                there.put(
                        mutator.look(),
                        client.query(mutator.look()).stream()
                                .map(Message::toString)
                                .toList()
                                .toString());
                found.add(there);
            }
            return found;
        }
    }
}
