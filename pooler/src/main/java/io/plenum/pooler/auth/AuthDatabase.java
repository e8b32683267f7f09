package io.plenum.pooler.auth;

import io.plenum.pooler.auth.AuthQueries.Answer;
import io.plenum.pooler.auth.AuthQueries.Question;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The questions of {@code auth_query} to one database as one user, over two connections at most, one question at a time on
 * each. A question that is asked again before it is sent is sent once. Confined to the control loop.
 */
final class AuthDatabase {
    private static final Logger LOG = LoggerFactory.getLogger(AuthDatabase.class);

    private static final int MOST_CONNECTIONS = 2;

    /** Different questions that wait. */
    private static final int MOST_WAITING = 1_000;

    /** A connection that was not used for so long is closed. */
    private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(5);

    /** A question that is not answered by then has no answer. */
    private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A server that is asked and says nothing for so long is left. */
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Begins to connect. */
    interface Connector {
        ServerConnection connect(Node node, ServerConnection.Owner owner);
    }

    private final Loop loop;
    private final TopologySource topologies;
    private final Connector connector;
    private final LongSupplier retryNanos;

    /** For users who have logged in before: sent first, whoever else is asked for. */
    private final Map<Question, Waiting> urgent = new LinkedHashMap<>();

    private final Map<Question, Waiting> waiting = new LinkedHashMap<>();
    private final List<Asker> askers = new ArrayList<>();
    private final LoginRetry retry = new LoginRetry();
    private boolean closed;

    /** Everybody who waits for the answer to one question, since the first of them came. */
    private record Waiting(Question question, long sinceNanos, List<Consumer<Answer>> askers) {
        void end(Answer answer) {
            askers.forEach(asker -> asker.accept(answer));
        }
    }

    /** {@code retryNanos} is how long the settings let a login that failed be waited for. */
    AuthDatabase(Loop loop, TopologySource topologies, Connector connector, LongSupplier retryNanos) {
        this.loop = loop;
        this.topologies = topologies;
        this.connector = connector;
        this.retryNanos = retryNanos;
    }

    void ask(Question question, boolean isUrgent, long now, Consumer<Answer> done) {
        Map<Question, Waiting> queue = isUrgent ? urgent : waiting;
        Waiting known = queue.get(question);
        if (known != null) {
            known.askers().add(done);
            return;
        }
        if (queue.size() >= MOST_WAITING) {
            done.accept(new Answer.Away("too many users wait for auth_query"));
            return;
        }
        var made = new Waiting(question, now, new ArrayList<>());
        made.askers().add(done);
        queue.put(question, made);
        pump();
    }

    /** Sends what waits, as far as connections go, and opens one when they do not suffice. */
    void pump() {
        if (closed) {
            return;
        }
        long now = System.nanoTime();
        for (Asker asker : List.copyOf(askers)) {
            Waiting next = asker.isFree() ? next() : null;
            if (next != null) {
                asker.send(next, now);
            }
        }
        boolean connecting = askers.stream().anyMatch(asker -> !asker.open);
        if (isWaitedFor() && !connecting && askers.size() < MOST_CONNECTIONS && retry.isDue(now)) {
            open();
        }
    }

    private @Nullable Waiting next() {
        Map<Question, Waiting> queue = urgent.isEmpty() ? waiting : urgent;
        Waiting next = queue.values().stream().findFirst().orElse(null);
        if (next != null) {
            queue.remove(next.question());
        }
        return next;
    }

    private boolean isWaitedFor() {
        return !urgent.isEmpty() || !waiting.isEmpty();
    }

    /** Opens a connection where it may be had; the topology tells when there is a place again. */
    private void open() {
        Node node = node(topologies.topology());
        if (node != null) {
            var asker = new Asker(node);
            askers.add(asker);
            asker.server = connector.connect(node, asker);
        }
    }

    /**
     * The primary, for there even the last change counts; else a standby, else one of which nothing is known yet: to ask it
     * may be what lets us know.
     */
    private static @Nullable Node node(Topology now) {
        if (now.primary() != null) {
            return now.primary();
        }
        return now.replicas().isEmpty()
                ? now.nodes().stream()
                        .filter(status -> status.health() != NodeHealth.DOWN
                                && status.health() != NodeHealth.REFUSING
                                && !status.foreign())
                        .map(NodeStatus::node)
                        .findFirst()
                        .orElse(null)
                : now.replicas().getFirst();
    }

    void tick(long now) {
        for (Map<Question, Waiting> queue : List.of(urgent, waiting)) {
            List<Waiting> late = queue.values().stream()
                    .filter(one -> now - one.sinceNanos() > WAIT_NANOS)
                    .toList();
            late.forEach(one -> queue.remove(one.question()));
            late.forEach(one -> one.end(new Answer.Away("auth_query: no server of the database answers")));
        }
        for (Asker asker : List.copyOf(askers)) {
            asker.tick(now);
        }
        pump();
    }

    /** Whether nothing waits, no connection is left, and no login has failed a moment ago. */
    boolean isOver(long now) {
        return !isWaitedFor() && askers.isEmpty() && retry.isDue(now);
    }

    void renew() {
        List.copyOf(askers).forEach(Asker::leaveWhenFree);
    }

    void close() {
        closed = true;
        endAll(new Answer.Away("the connection of auth_query ends"));
        List.copyOf(askers).forEach(Asker::leave);
    }

    private void endAll(Answer answer) {
        List<Waiting> all = new ArrayList<>(urgent.values());
        all.addAll(waiting.values());
        urgent.clear();
        waiting.clear();
        all.forEach(one -> one.end(answer));
    }

    private void askAgain(Waiting asked) {
        Waiting newer = urgent.remove(asked.question());
        if (newer != null) {
            asked.askers().addAll(newer.askers());
        }
        urgent.put(asked.question(), asked);
    }

    /** One connection. */
    private final class Asker implements ServerConnection.Owner {
        private final Node node;
        private @Nullable ServerConnection server;
        private @Nullable Waiting current;
        private boolean open;
        private boolean leaving;
        private long sentNanos;

        Asker(Node node) {
            this.node = node;
        }

        boolean isFree() {
            return open && current == null && !leaving;
        }

        void send(Waiting next, long now) {
            ServerConnection to = server;
            if (to == null) {
                throw new IllegalStateException("not connected");
            }
            current = next;
            sentNanos = now;
            Question question = next.question();
            to.ask(question.query(), List.of(question.user().getBytes(StandardCharsets.UTF_8)), this::onAnswer);
        }

        private void onAnswer(ServerConnection.Answer said) {
            Waiting asked = current;
            current = null;
            if (asked == null) {
                return;
            }
            switch (said) {
                case ServerConnection.Rows(List<DataRow> rows) ->
                    asked.end(read(asked.question().user(), rows));
                case ServerConnection.Failed(ErrorResponse error) ->
                    asked.end(new Answer.Wrong(
                            "error response from auth_query: " + error.code() + " " + error.message()));
                case ServerConnection.Lost _ -> onLost(asked);
            }
            if (leaving) {
                leave();
            } else {
                loop.execute(AuthDatabase.this::pump);
            }
        }

        /** A connection that was found dead says nothing of the server: the question is asked once more. */
        private void onLost(Waiting asked) {
            askers.remove(this);
            askAgain(asked);
            retry.onFailed(retryNanos.getAsLong());
            topologies.suspect(node);
        }

        void tick(long now) {
            if (isFree() && now - sentNanos > IDLE_NANOS) {
                leave();
            } else if (!isFree() && isOutOfPlace()) {
                moveOn();
            } else if (current != null && now - sentNanos > ANSWER_NANOS) {
                LOG.warn("event=auth_query_unanswered node={}", node);
                leave();
            }
        }

        /** Whether another node is to be asked by now: this one may have gone without a word. */
        private boolean isOutOfPlace() {
            Node best = node(topologies.topology());
            return best != null && !best.equals(node);
        }

        private void moveOn() {
            Waiting asked = current;
            current = null;
            leave();
            if (asked != null) {
                askAgain(asked);
            }
        }

        void leaveWhenFree() {
            leaving = true;
            if (open && current == null) {
                leave();
            }
        }

        void leave() {
            askers.remove(this);
            leaving = true;
            Waiting asked = current;
            current = null;
            ServerConnection left = server;
            if (left != null && asked == null && open) {
                left.terminate();
            } else if (left != null) {
                left.close();
            }
            if (asked != null) {
                asked.end(new Answer.Away("the connection of auth_query ends"));
            }
        }

        @Override
        public void onLoggedIn(ServerConnection server) {
            this.server = server;
            open = true;
            sentNanos = System.nanoTime();
            retry.onGood();
            if (leaving) {
                leave();
            } else {
                pump();
            }
        }

        @Override
        public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
            askers.remove(this);
            if (refusal == null || !LoginRetry.isLasting(refusal)) {
                topologies.suspect(node);
                retry.onFailed(retryNanos.getAsLong());
            } else { // nobody shall wait for what waiting does not cure, and of the node it says nothing
                retry.onRefused(retryNanos.getAsLong());
                endAll(new Answer.Wrong(
                        "auth_query: server login failed: FATAL " + refusal.message(),
                        refusal.code().equals(SqlState.INVALID_CATALOG_NAME.code()) ? refusal : null));
            }
        }

        @Override
        public void onDismissed(ServerConnection server) {
            leaveWhenFree();
        }

        @Override
        public void onClosed(ServerConnection server) {
            askers.remove(this);
            loop.execute(AuthDatabase.this::pump);
        }
    }

    /** Name and secret, as PgBouncer reads them; whatever else comes is an error, and nobody gets in by it. */
    private static Answer read(String user, List<DataRow> rows) {
        if (rows.isEmpty()) {
            return new Answer.Nobody();
        }
        List<@Nullable String> values = rows.getFirst().values();
        if (values.size() != 2) {
            return new Answer.Wrong("expected 2 columns from auth_query, not " + values.size());
        }
        if (rows.size() > 1) {
            return new Answer.Wrong("expected 1 row from auth_query, not " + rows.size());
        }
        String name = values.get(0);
        if (name == null) {
            return new Answer.Nobody();
        }
        if (!name.equals(user)) {
            return new Answer.Nobody(); // PgBouncer's manual has queries make up a user for one that does not exist
        }
        String secret = values.get(1);
        return new Answer.User(secret == null ? null : Secret.of(secret));
    }
}
