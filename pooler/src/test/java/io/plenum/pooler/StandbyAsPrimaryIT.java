package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.net.EventLoops;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.pool.BalanceSettings;
import io.plenum.pooler.pool.HoldLimits;
import io.plenum.pooler.pool.LoopPools;
import io.plenum.pooler.pool.Pause;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolDirectory;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.balance.BalancePolicy;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeRole;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.SharedPostgres;
import io.plenum.wire.error.ErrorResponse;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The old primary is back as a standby, at its old address, and the topology has not noticed. */
@ExtendWith(LeakWatch.class)
class StandbyAsPrimaryIT {
    private static final PoolerConfig CONFIG =
            PoolerConfig.parse("[databases]\napp = host=nodes.test,more.test", Path.of(""));
    private static final DatabaseConfig APP = Objects.requireNonNull(CONFIG.database("app"));

    private final EventLoops loops = EventLoops.start(Transport.best(), 1);
    private final Loop loop = loops.loops().getFirst();
    private final Node standby = node(SharedPostgres.get().standbys().getFirst());
    private final Node other = node(SharedPostgres.get().standbys().getLast());
    private final Believed believed = new Believed();
    private final LoopPools pools = new LoopPools(
            loop,
            new PoolDirectory(() -> CONFIG, 1, _ -> {}),
            database -> believed,
            SocketConnector.plain(() -> CONFIG, new Credentials()),
            database -> BalanceSettings.of(() -> BalancePolicy.TWO_CHOICES.create(new SplittableRandom(1))),
            new HoldLimits(),
            () -> new HoldLimits.Bounds(0, 100, 1_000_000));

    @AfterEach
    void stop() {
        loop.executor()
                .submit(() -> pools.groups().forEach(group -> group.pools().forEach(Pool::kill)))
                .awaitUninterruptibly();
        loops.close();
    }

    @Test
    void itGetsNoWritesAndIsSuspected() throws Exception {
        believed.topology = topology(standby, List.of(other));
        CompletableFuture<ServerConnection> given = await(PoolGroup::forWrite);

        assertThat(believed.suspected.poll(10, TimeUnit.SECONDS)).isEqualTo(standby);
        assertThat(believed.suspected.poll(10, TimeUnit.SECONDS))
                .as("tried again, and refused again")
                .isEqualTo(standby);
        assertThat(given).isNotDone();
    }

    @Test
    void whereTheTopologyKnowsItForAStandbyItServesReads() throws Exception {
        believed.topology = topology(other, List.of(standby));

        assertThat(await(group -> group.forRead(0)).get(10, TimeUnit.SECONDS).isStandby())
                .isTrue();
        assertThat(believed.suspected).isEmpty();
    }

    @Test
    void writerWhoWaitsThereWhileItBecomesAStandbyIsSentAwayAndNotServed() throws Exception {
        believed.topology = topology(1, standby, List.of(other));
        var given = new CompletableFuture<ServerConnection>();
        var sentAway = new CompletableFuture<@Nullable Void>();
        loop.execute(() -> {
            PoolGroup group = pools.group(APP, "postgres");
            group.setPause(Pause.PRIMARY); // so that nothing is opened yet
            Pool pool = Objects.requireNonNull(group.forWrite());
            var place = new AtomicReference<WaitQueue.Place>();
            place.set(waiter(given, () -> {
                place.get().leave();
                sentAway.complete(null);
            }));
            pool.await(place.get(), System.nanoTime());
            believed.tell(topology(2, other, List.of(standby)));
            group.setPause(Pause.NONE);
        });

        sentAway.get(10, TimeUnit.SECONDS);
        TimeUnit.MILLISECONDS.sleep(300);
        assertThat(given).isNotDone();
    }

    @Test
    void aloneItTakesEverything() throws Exception {
        believed.topology = new Topology(1, List.of(status(standby, NodeRole.PRIMARY)), standby, List.of(), false);

        assertThat(await(PoolGroup::forWrite).get(10, TimeUnit.SECONDS).isStandby())
                .isTrue();
    }

    private CompletableFuture<ServerConnection> await(Function<PoolGroup, @Nullable Pool> choice) {
        var given = new CompletableFuture<ServerConnection>();
        loop.execute(() -> {
            Pool pool = Objects.requireNonNull(choice.apply(pools.group(APP, "postgres")));
            pool.await(waiter(given, () -> {}), System.nanoTime());
        });
        return given;
    }

    /** Leaves the queue only when {@code onTrouble} does something about it. */
    private static WaitQueue.Place waiter(CompletableFuture<ServerConnection> given, Runnable onTrouble) {
        return new WaitQueue.Place(new WaitQueue.Waiter() {
            @Override
            public void onServer(ServerConnection server) {
                given.complete(server);
            }

            @Override
            public void onTrouble(@Nullable ErrorResponse refusal) {
                onTrouble.run();
            }
        });
    }

    private static Topology topology(Node primary, List<Node> replicas) {
        return topology(1, primary, replicas);
    }

    private static Topology topology(long version, Node primary, List<Node> replicas) {
        var statuses = new ArrayList<NodeStatus>();
        statuses.add(status(primary, NodeRole.PRIMARY));
        replicas.forEach(replica -> statuses.add(status(replica, NodeRole.REPLICA)));
        return new Topology(version, statuses, primary, replicas, false);
    }

    private static NodeStatus status(Node node, NodeRole role) {
        return new NodeStatus(node, role, NodeHealth.UP, false, null, 0);
    }

    private static Node node(PostgresNode node) {
        return Node.at(new InetSocketAddress(node.host(), node.port()));
    }

    /** What the pools are told, right or wrong. */
    private static final class Believed implements TopologySource {
        private final LinkedBlockingQueue<Node> suspected = new LinkedBlockingQueue<>();
        private volatile Topology topology = Topology.EMPTY;

        @Override
        public Topology topology() {
            return topology;
        }

        private @Nullable Consumer<Topology> listener;

        void tell(Topology now) {
            topology = now;
            Objects.requireNonNull(listener).accept(now);
        }

        @Override
        public boolean subscribe(Consumer<Topology> listener) {
            this.listener = listener;
            listener.accept(topology);
            return true;
        }

        @Override
        public void suspect(Node node) {
            suspected.add(node);
        }
    }
}
