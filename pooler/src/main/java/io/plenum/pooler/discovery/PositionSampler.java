package io.plenum.pooler.discovery;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection.Answer;
import io.plenum.pooler.server.ServerConnection.Rows;
import io.plenum.routing.causal.Lsn;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.DataRow;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the nodes of one cluster where they stand in its WAL, while somebody needs to know: the primary once for all who
 * wait, the standbys again and again until nobody does. Each node has a connection for that alone, so that a question never
 * stands behind a probe; it is closed when nobody has read by position for a while.
 *
 * <p>Confined to the control loop.
 */
final class PositionSampler implements Cluster.Follower {
    private static final Logger LOG = LoggerFactory.getLogger(PositionSampler.class);

    /** Between an answer of a node and the next question to it while somebody waits. */
    private static final long EAGER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** The same while somebody reads by position and nobody waits. */
    private static final long EASY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long IN_USE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** Between two looks at how the primary lays out its WAL and flushes by default. */
    private static final long LAYOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final String STANDBY_SQL =
            "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() END";

    private static final String PRIMARY_SQL = """
        SELECT CASE WHEN NOT standby THEN pg_catalog.pg_current_wal_flush_lsn() END,
            CASE WHEN NOT standby THEN pg_catalog.pg_current_wal_insert_lsn() END
        FROM pg_catalog.pg_is_in_recovery() AS standby\
        """;

    /** The last column says whether a session may commit without a flush although it never asked for that. */
    private static final String LAYOUT_SQL = PRIMARY_SQL.replace("\nFROM", """
        ,
            pg_catalog.current_setting('wal_block_size'),
            pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')),
            pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'
                OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting
                    WHERE pg_catalog.array_to_string(setconfig, ' ')
                        OPERATOR(pg_catalog.~~*) '%synchronous_commit=%')
        FROM\
        """);

    private final Positions positions;
    private final Loop loop;
    private final LongSupplier clock;
    private final MonitorLogins logins;
    private final Clusters.Probing probing;
    private final Map<Node, NodeQuestions> standbys = new HashMap<>();
    private final AtomicBoolean woken = new AtomicBoolean();

    private Topology topology = Topology.EMPTY;
    private @Nullable Node primary;
    private @Nullable NodeQuestions primaryQuestions;
    private int timeline;
    private long layoutSeenNanos;
    private boolean layoutSeen;
    private @Nullable Future<?> next;
    private boolean closed;

    PositionSampler(
            Positions positions, Loop loop, LongSupplier clock, MonitorLogins logins, Clusters.Probing probing) {
        this.positions = positions;
        this.loop = loop;
        this.clock = clock;
        this.logins = logins;
        this.probing = probing;
        positions.setOnDemand(this::wake);
    }

    /** Any thread: somebody wants to know more. */
    private void wake() {
        if (woken.compareAndSet(false, true)) {
            loop.execute(() -> {
                woken.set(false);
                round();
            });
        }
    }

    // --- the nodes -------------------------------------------------------------------------------------------------

    @Override
    public void onTopology(Topology now, boolean decides) {
        topology = now;
        Node takesWrites = now.primary();
        if (takesWrites != null) {
            NodeStatus status = now.status(takesWrites);
            int claimed = status == null || status.lastSeen() == null
                    ? 0
                    : status.lastSeen().timeline();
            boolean another = primary != null && !takesWrites.equals(primary);
            if (another || (claimed > timeline && timeline != 0)) {
                LOG.info("event=epoch_begins primary={} timeline={}", takesWrites, claimed);
                positions.onNewEpoch();
            }
            if (another || primaryQuestions == null) {
                leavePrimary();
            }
            primary = takesWrites;
            timeline = Math.max(timeline, claimed);
        } else {
            leavePrimary(); // its smart shutdown may wait for us
        }
        if (decides) {
            standbys.entrySet().removeIf(watched -> {
                boolean gone = !now.replicas().contains(watched.getKey());
                if (gone) {
                    watched.getValue().close();
                    positions.forget(watched.getKey());
                }
                return gone;
            });
        }
    }

    private void leavePrimary() {
        if (primaryQuestions != null) {
            primaryQuestions.close();
            primaryQuestions = null;
        }
        layoutSeen = false;
    }

    @Override
    public void onClosed() {
        closed = true;
        leavePrimary();
        standbys.values().forEach(NodeQuestions::close);
        standbys.clear();
        if (next != null) {
            next.cancel(false);
        }
    }

    // --- questions -------------------------------------------------------------------------------------------------

    /** Asks whom there is reason to ask now, and plans when to look again. */
    private void round() {
        if (closed) {
            return;
        }
        if (next != null) {
            next.cancel(false);
            next = null;
        }
        long now = clock.getAsLong();
        long systemNow = System.nanoTime(); // by which those who read count
        boolean awaited = positions.isAwaited();
        if (!awaited && !positions.isUsed(systemNow, IN_USE_NANOS)) {
            if (!positions.isUsed(systemNow, KEPT_NANOS)) {
                leavePrimary();
                standbys.values().forEach(NodeQuestions::close);
            } else {
                plan(KEPT_NANOS);
            }
            return;
        }
        long apart = awaited ? EAGER_NANOS : EASY_NANOS;
        Node takesWrites = topology.primary();
        if (takesWrites != null && positions.isPrimaryWanted()) {
            askPrimary(takesWrites, now);
        }
        for (Node node : topology.replicas()) {
            NodeQuestions questions = standbys.computeIfAbsent(node, this::ofStandby);
            if (questions.isDue(now, apart)) {
                questions.ask(STANDBY_SQL);
            }
        }
        plan(apart);
    }

    private void plan(long delayNanos) {
        if (next == null) {
            next = loop.executor().schedule(this::onTime, delayNanos, TimeUnit.NANOSECONDS);
        }
    }

    private void onTime() {
        next = null;
        round();
    }

    private void askPrimary(Node node, long now) {
        NodeQuestions questions = primaryQuestions;
        if (questions == null) {
            questions = new NodeQuestions(node, loop, clock, logins, probing, new NodeQuestions.Listener() {
                @Override
                public void onAsking() {
                    positions.onAsked();
                }

                @Override
                public void onAnswer(Answer answer) {
                    onPrimaryAnswer(answer);
                }
            });
            primaryQuestions = questions;
        }
        if (questions.isDue(now, EAGER_NANOS)) {
            boolean layout = !layoutSeen || now - layoutSeenNanos > LAYOUT_NANOS;
            questions.ask(layout ? LAYOUT_SQL : PRIMARY_SQL);
        }
    }

    private void onPrimaryAnswer(Answer answer) {
        DataRow row = row(answer);
        long flushed = row == null ? Lsn.MALFORMED : lsn(row.value(0));
        long inserted = row == null ? Lsn.MALFORMED : lsn(row.value(1));
        if (row == null || flushed == Lsn.MALFORMED || inserted == Lsn.MALFORMED) {
            return; // no primary, or none that answers: those who wait go there by themselves when their time is over
        }
        if (row.values().size() > 2) {
            layoutSeen = true;
            layoutSeenNanos = clock.getAsLong();
            positions.onLayout(number(row.value(2)), number(row.value(3)), !"f".equals(row.value(4)));
        }
        positions.onAnswer(flushed, inserted);
        positions.tell();
        round();
    }

    private NodeQuestions ofStandby(Node node) {
        var position = positions.of(node);
        return new NodeQuestions(node, loop, clock, logins, probing, new NodeQuestions.Listener() {
            @Override
            public void onConnected() {
                position.onWatched();
            }

            @Override
            public void onAsking() {
                position.onAsked();
            }

            @Override
            public void onAnswer(Answer answer) {
                DataRow row = row(answer);
                long replayed = row == null ? Lsn.MALFORMED : lsn(row.value(0));
                if (replayed != Lsn.MALFORMED) {
                    position.onAnswer(replayed, System.nanoTime());
                    positions.tell();
                }
            }

            @Override
            public void onLost() {
                position.onLost();
            }
        });
    }

    private static @Nullable DataRow row(Answer answer) {
        return answer instanceof Rows(var rows) && rows.size() == 1 ? rows.getFirst() : null;
    }

    private static long lsn(@Nullable String text) {
        return text == null ? Lsn.MALFORMED : Lsn.parse(text);
    }

    private static int number(@Nullable String text) {
        try {
            return Integer.parseInt(String.valueOf(text));
        } catch (NumberFormatException malformed) {
            throw new ProtocolException("malformed answer about WAL: " + text);
        }
    }
}
