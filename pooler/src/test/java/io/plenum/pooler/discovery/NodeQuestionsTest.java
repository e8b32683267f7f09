package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.routing.topology.Node;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeQuestionsTest {
    private final FrozenLoop time = new FrozenLoop();
    private final List<ServerConnection> opened = new ArrayList<>();

    @Test
    void loginsThatAreRefusedAreTriedSeldom() {
        var questions = questions(ErrorResponse.fatal(SqlState.INVALID_PASSWORD, "password authentication failed"));

        askFor(Duration.ofMinutes(1), questions);

        assertThat(opened).hasSizeBetween(10, 20);
    }

    @Test
    void serverThatStartsIsAskedOften() {
        var questions =
                questions(ErrorResponse.fatal(SqlState.CANNOT_CONNECT_NOW, "the database system is starting up"));

        askFor(Duration.ofSeconds(10), questions);

        assertThat(opened).hasSizeGreaterThan(40);
    }

    private @Nullable ErrorResponse answer;

    private NodeQuestions questions(ErrorResponse refusal) {
        answer = refusal;
        var node = Node.at(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));
        var login = new MonitorLogins.Login("app", "app", new ServerCredential.None());
        return new NodeQuestions(
                node,
                time.loop(),
                time.clock(),
                () -> List.of(login),
                (loop, target, owner) -> {
                    var server = new ServerConnection(opened.size(), loop, target, owner);
                    opened.add(server);
                    return server;
                },
                said -> {});
    }

    private void askFor(Duration duration, NodeQuestions questions) {
        long end = time.clock().getAsLong() + duration.toNanos();
        while (time.clock().getAsLong() - end < 0) {
            if (questions.isDue(time.clock().getAsLong(), TimeUnit.MILLISECONDS.toNanos(100))) {
                questions.ask("SELECT 1");
                questions.onLoginFailed(opened.getLast(), answer, "password");
            }
            time.pass(Duration.ofMillis(10));
        }
    }
}
