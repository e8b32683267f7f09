package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.discovery.Slices.Endpoint;
import io.plenum.pooler.discovery.Slices.Port;
import io.plenum.routing.topology.Node;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SliceBookTest {
    private static final Port POSTGRES = new Port("postgres", 5433);

    private final FrozenLoop time = new FrozenLoop();
    private @Nullable Consumer<List<Endpoint>> told;
    private List<Node> nodes = List.of();
    private List<String> leaving = List.of();

    @Test
    void everyEndpointIsANodeWithItsZoneAndThePortOfItsSlice() {
        book(0, "");
        tell(ready("10.0.0.1", "west"), ready("10.0.0.2", "east"));

        assertThat(nodes).extracting(Node::name).containsExactly("10.0.0.1:5433", "10.0.0.2:5433");
        assertThat(nodes).extracting(Node::zone).containsExactly("west", "east");
        assertThat(leaving).isEmpty();
    }

    @Test
    void portOfTheSettingsWins() {
        book(6000, "");
        tell(ready("10.0.0.1", ""));

        assertThat(nodes).extracting(Node::name).containsExactly("10.0.0.1:6000");
    }

    @Test
    void ofSeveralPortsTheOneThatSoundsLikePostgresIsTaken() {
        book(0, "");
        tell(new Endpoint(
                "10.0.0.1",
                List.of(new Port("metrics", 9187), new Port("tcp-postgresql", 5434)),
                true,
                true,
                false,
                "",
                List.of()));

        assertThat(nodes).extracting(Node::name).containsExactly("10.0.0.1:5434");
    }

    @Test
    void addressInSeveralSlicesIsOneNodeAndItsBestStateCounts() {
        book(0, "");
        tell(terminating("10.0.0.1"), ready("10.0.0.1", ""), ready("10.0.0.2", ""));

        assertThat(nodes).extracting(Node::name).containsExactly("10.0.0.1:5433", "10.0.0.2:5433");
        assertThat(leaving).isEmpty();
    }

    @Test
    void podThatTerminatesIsLeaving() {
        book(0, "");
        tell(ready("10.0.0.1", ""), terminating("10.0.0.2"));

        assertThat(nodes).hasSize(2);
        assertThat(leaving).containsExactly("10.0.0.2:5433");
    }

    @Test
    void podThatIsNotReadyIsLeavingUnlessNoneIs() {
        book(0, "");
        tell(ready("10.0.0.1", ""), unready("10.0.0.2"));
        assertThat(leaving).containsExactly("10.0.0.2:5433");

        tell(unready("10.0.0.1"), unready("10.0.0.2"));
        assertThat(leaving).isEmpty();
    }

    @Test
    void whatKubernetesMeansForOurZoneStandsInIt() {
        book(0, "west");
        tell(new Endpoint("10.0.0.1", List.of(POSTGRES), true, true, false, "east", List.of("west")));

        assertThat(nodes).extracting(Node::zone).containsExactly("west");
    }

    @Test
    void certificateOfANodeIsToBeForTheHostThatTheSettingsName() {
        book(0, "");
        tell(ready("10.0.0.1", ""));

        assertThat(((InetSocketAddress) nodes.getFirst().address()).getHostString())
                .isEqualTo("pg.db");
    }

    @Test
    void closedBookHearsNothing() {
        SliceBook book = book(0, "");
        book.close();
        tell(ready("10.0.0.1", ""));

        assertThat(nodes).isEmpty();
    }

    private SliceBook book(int port, String zone) {
        Slices slices = new Slices() {
            @Override
            public Watch watch(ServiceName service, Consumer<List<Endpoint>> listener) {
                told = listener;
                return () -> {};
            }

            @Override
            public void close() {}
        };
        var book = new SliceBook(
                "pg.db",
                new ServiceName("db", "pg", port, zone),
                time.loop(),
                slices,
                (List<Node> all, Set<Node> going) -> {
                    nodes = all;
                    leaving = going.stream().map(Node::name).sorted().toList();
                });
        book.start();
        return book;
    }

    private void tell(Endpoint... endpoints) {
        Objects.requireNonNull(told).accept(List.of(endpoints));
        time.pass(Duration.ofMillis(1));
    }

    private static Endpoint ready(String address, String zone) {
        return new Endpoint(address, List.of(POSTGRES), true, true, false, zone, List.of());
    }

    private static Endpoint unready(String address) {
        return new Endpoint(address, List.of(POSTGRES), false, false, false, "", List.of());
    }

    private static Endpoint terminating(String address) {
        return new Endpoint(address, List.of(POSTGRES), false, true, true, "", List.of());
    }
}
