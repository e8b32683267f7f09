package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.plenum.pooler.auth.AuthQueries.Answer;
import io.plenum.pooler.auth.AuthQueries.Question;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AuthDatabaseTest {
    private static final Node NODE = Node.at(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));

    private final Loop loop = new Loop(-1, new EmbeddedChannel().eventLoop(), Transport.NIO);
    private final List<Node> suspected = new ArrayList<>();
    private final List<Answer> answers = new ArrayList<>();

    /** Else each of them had the monitors log in too, of whom PostgreSQL may think the same. */
    @Test
    void loginThatIsRefusedSaysNothingOfTheNode() {
        askAndFail(ErrorResponse.fatal(SqlState.INVALID_PASSWORD, "password authentication failed"));

        assertThat(suspected).isEmpty();
        assertThat(answers).hasSize(1).first().isInstanceOf(Answer.Wrong.class);
    }

    @Test
    void serverThatIsNotThereIsSuspected() {
        askAndFail(null);

        assertThat(suspected).containsExactly(NODE);
        assertThat(answers).isEmpty();
    }

    private void askAndFail(@Nullable ErrorResponse refusal) {
        List<ServerConnection.Owner> opened = new ArrayList<>();
        var target = new ServerTarget(NODE.address(), "app", "asker", new ServerCredential.None(), Map.of(), null);
        var database = new AuthDatabase(
                loop,
                new OnePrimary(),
                (node, owner) -> {
                    opened.add(owner);
                    return new ServerConnection(1, loop, target, owner);
                },
                () -> TimeUnit.SECONDS.toNanos(15));
        var entry = PoolerConfig.parse("[databases]\napp = host=127.0.0.1", Path.of(""))
                .database("app");
        database.ask(
                new Question(Objects.requireNonNull(entry), "asker", "SELECT 1", "somebody"),
                false,
                System.nanoTime(),
                answers::add);
        ServerConnection.Owner owner = opened.getFirst();
        owner.onLoginFailed(new ServerConnection(1, loop, target, owner), refusal, "login");
    }

    private final class OnePrimary implements TopologySource {
        @Override
        public Topology topology() {
            return new Topology(1, List.of(), NODE, List.of(), false);
        }

        @Override
        public boolean subscribe(Consumer<Topology> listener) {
            return true;
        }

        @Override
        public void suspect(Node node) {
            suspected.add(node);
        }
    }
}
