package io.plenum.pooler.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.auth.ScramServer;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.startup.CancelKey;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What no PostgreSQL sends: it ends the connection, and costs us next to nothing. */
class HostileServerTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Refusals refusals = new Refusals();
    private final ServerConnection server = new ServerConnection(
            1,
            new Loop(0, channel.eventLoop(), Transport.NIO),
            new ServerTarget(
                    InetSocketAddress.createUnresolved("nowhere", 1),
                    "app",
                    "ada",
                    new ServerCredential.Password("secret"),
                    Map.of(),
                    null),
            refusals);

    HostileServerTest() {
        channel.pipeline().addLast(server);
        channel.pipeline().fireChannelActive();
        channel.releaseOutbound();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void proofIsMadeOnceInALogin() {
        says(BackendMessages::authenticationCleartextPassword);
        ByteBuf password = channel.readOutbound();
        assertThat(password.readableBytes()).isPositive();
        password.release();

        says(BackendMessages::authenticationCleartextPassword);

        assertThat(channel.outboundMessages()).isEmpty();
        assertThat(server.isClosed()).isTrue();
        assertThat(String.valueOf(refusals.refusal)).contains("second proof");
    }

    @Test
    void noneIsMadeBehindTheEndOfTheLogin() {
        says(BackendMessages::authenticationOk);
        says(out -> BackendMessages.authenticationSasl(out, ScramServer.MECHANISM));

        assertThat(channel.outboundMessages()).isEmpty();
        assertThat(server.isClosed()).isTrue();
    }

    @Test
    void saslMessagesBeyondTheExchangeEndTheLogin() {
        says(out -> BackendMessages.authenticationSasl(out, ScramServer.MECHANISM));
        channel.releaseOutbound();
        says(out -> BackendMessages.authenticationSaslFinal(out, new byte[] {'v', '='})); // before our proof is made

        assertThat(server.isClosed()).isTrue();
        assertThat(String.valueOf(refusals.refusal)).contains("nobody asked for");
    }

    @Test
    void parametersAreNotReportedWithoutEnd() {
        says(BackendMessages::authenticationOk);
        for (int i = 0; i < 10_000 && !server.isClosed(); i++) {
            String name = "parameter" + i;
            says(out -> BackendMessages.parameterStatus(out, name, "x"));
        }

        assertThat(server.isClosed()).isTrue();
        assertThat(server.startValues()).hasSizeLessThan(300);
    }

    @Test
    void norAreTheyAfterTheLogin() {
        logIn();
        for (int i = 0; i < 10_000 && !server.isClosed(); i++) {
            String name = "parameter" + i;
            says(out -> BackendMessages.parameterStatus(out, name, "x"));
        }

        assertThat(server.isClosed()).isTrue();
        assertThat(server.settings().size()).isLessThan(300);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "4300000004", // CommandComplete without a tag
                "430000000500",
                "43000000074352" + "00", // begins as CREATE does
                "5a00000004", // ReadyForQuery without a status
                "5a0000000558", // with one that there is not
                "5300000004", // ParameterStatus without a name
                "4500000000", // lengths that do not count themselves
                "44ffffffff",
                "5aFFFFFFF0",
                "2100000004" // no message at all
            })
    void messageThatIsTooShortOrNoneEndsTheConnection(String hex) {
        logIn();
        server.ask("SELECT 1", answer -> {});
        channel.releaseOutbound();

        channel.writeInbound(Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex)));
        channel.checkException(); // a handler that throws is a bug of ours

        boolean shortTag = hex.endsWith("435200"); // is a tag that we do not know
        assertThat(server.isClosed()).isEqualTo(!shortTag);
    }

    private void logIn() {
        says(out -> {
            BackendMessages.authenticationOk(out);
            BackendMessages.backendKeyData(out, new CancelKey(7, new byte[4]));
            BackendMessages.readyForQuery(out, TransactionStatus.IDLE);
        });
        assertThat(server.isLoggedIn()).isTrue();
    }

    private void says(Consumer<ByteBuf> message) {
        ByteBuf bytes = Unpooled.buffer();
        message.accept(bytes);
        channel.writeInbound(bytes);
        channel.checkException();
    }

    private static final class Refusals implements ServerConnection.Owner {
        private @Nullable ErrorResponse refusal;

        @Override
        public void onLoggedIn(ServerConnection server) {}

        @Override
        public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
            this.refusal = refusal;
        }

        @Override
        public void onClosed(ServerConnection server) {}
    }
}
