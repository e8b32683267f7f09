package io.plenum.pooler.server;

import static io.plenum.pooler.fuzz.Execution.demand;
import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.plenum.pooler.fuzz.Execution;
import io.plenum.pooler.fuzz.Splits;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.startup.CancelKey;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a server sends, honest or not: in its login, and to a client who is owed some replies. */
public final class BackendFuzz {
    /** A connection that holds more is one whose memory a server decides. */
    private static final long MOST_BUFFERED = 512 * 1024;

    private static final Reply[] REPLIES = Reply.values();

    private BackendFuzz() {}

    /**
     * Called by the fuzzer. The first byte says how the bytes arrive, and with its lowest bit whether they are a login; the
     * second how many replies are owed, the next ones which.
     */
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length < 2) {
            return;
        }
        boolean loggedIn = (input[0] & 1) == 0;
        int owed = loggedIn ? Math.min(input[1] & 0xf, input.length - 2) : 0;
        byte[] replies = Arrays.copyOfRange(input, 2, 2 + owed);
        byte[] stream = Arrays.copyOfRange(input, 2 + owed, input.length);
        Execution.of(
                input,
                () -> demandSame(
                        talk(loggedIn, replies, stream, new int[0]),
                        talk(loggedIn, replies, stream, Splits.of(stream.length, (byte) (input[0] >> 1))),
                        "it matters how the bytes arrive"));
    }

    /** All that is heard of a server that sends this. */
    private static List<String> talk(boolean loggedIn, byte[] replies, byte[] stream, int[] ends) {
        var heard = new Heard();
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAllocator(Execution.ALLOCATOR);
        var loop = new Loop(0, channel.eventLoop(), Transport.NIO);
        var target = new ServerTarget(
                InetSocketAddress.createUnresolved("nowhere", 1),
                "app",
                "ada",
                new ServerCredential.None(),
                Map.of(),
                null);
        var server = new ServerConnection(1, loop, target, heard);
        channel.pipeline().addLast(server);
        ChannelHandlerContext context = channel.pipeline().context(server);
        server.channelActive(context);
        try {
            if (loggedIn) {
                login(server, context);
                server.attach(heard);
                owe(server, replies);
                heard.said.clear();
            }
            int from = 0;
            for (int i = 0; i <= ends.length && !server.isClosed(); i++) {
                int to = i == ends.length ? stream.length : ends[i];
                if (to > from) {
                    server.channelRead(
                            context, Execution.ALLOCATOR.directBuffer(to - from).writeBytes(stream, from, to - from));
                }
                from = to;
                long held = Execution.ALLOCATOR.metric().usedDirectMemory();
                demand(held < MOST_BUFFERED, "%d bytes are held of %d", held, from);
            }
            heard.say(server.isClosed() ? "closed: " + server.closeReason() : "open, owes " + server.replies());
        } finally {
            channel.finishAndReleaseAll();
            server.channelInactive(context);
        }
        return heard.said();
    }

    private static void login(ServerConnection server, ChannelHandlerContext context) {
        ByteBuf hello = Execution.ALLOCATOR.directBuffer();
        BackendMessages.authenticationOk(hello);
        BackendMessages.parameterStatus(hello, "TimeZone", "Etc/UTC");
        BackendMessages.parameterStatus(hello, "in_hot_standby", "on");
        BackendMessages.backendKeyData(hello, new CancelKey(7, new byte[] {1, 2, 3, 4}));
        BackendMessages.readyForQuery(hello, TransactionStatus.IDLE);
        server.channelRead(context, hello);
        demand(server.isLoggedIn(), "no login");
    }

    /** Some of the client's, some that we injected, and the Sync or Query that ends them. */
    private static void owe(ServerConnection server, byte[] replies) {
        for (byte reply : replies) {
            server.replies()
                    .add(
                            REPLIES[(reply & 0xf) % REPLIES.length],
                            (reply & 0x10) == 0 ? Origin.CLIENT : Origin.INJECTED);
        }
        server.replies().add(Reply.SYNC, Origin.CLIENT);
    }

    /** Writes down what it is told. */
    private static final class Heard implements ServerConnection.Owner, ServerConnection.Reader {
        private final List<String> said = new ArrayList<>();
        private final StringBuilder forwarded = new StringBuilder();

        void say(String text) {
            said.add(forwarded + " " + text);
            forwarded.setLength(0);
        }

        List<String> said() {
            say("");
            return said;
        }

        @Override
        public void forward(ByteBuf bytes, int start, int end) {
            demand(start >= 0 && start < end && end <= bytes.writerIndex(), "bytes that are not there");
            forwarded.append(ByteBufUtil.hexDump(bytes, start, end - start));
        }

        @Override
        public void onSynthetic(Reply reply) {
            say("synthetic " + reply);
        }

        @Override
        public void onUnanswered(Reply reply, @Nullable Object subject, boolean itself) {
            say("unanswered " + reply + itself);
        }

        @Override
        public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
            say("injected " + error);
            return false;
        }

        @Override
        public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
            say("error " + error + ByteBufUtil.hexDump(bytes, start, end - start));
            return true;
        }

        @Override
        public boolean onParameter(String name, String value) {
            say("parameter " + name + "=" + value);
            return true;
        }

        @Override
        public void onTag(@Nullable CommandTag tag) {
            say("tag " + tag);
        }

        @Override
        public void onSchemaChange() {
            say("schema");
        }

        @Override
        public void onDefinition() {
            say("definition");
        }

        @Override
        public void onInjectedRow(DataRow row, @Nullable Object subject) {
            say("row " + row);
        }

        @Override
        public boolean onNotification(ByteBuf bytes, int start, int end) {
            say("notification " + ByteBufUtil.hexDump(bytes, start, end - start));
            return true;
        }

        @Override
        public void onStatementsForgotten(boolean settingsToo) {
            say("forgotten " + settingsToo);
        }

        @Override
        public boolean onReady(TransactionStatus status) {
            say("ready " + status);
            return true;
        }

        @Override
        public void onBatchEnd() {}

        @Override
        public void onLost(@Nullable ErrorResponse fatal) {
            say("lost " + fatal);
        }

        @Override
        public void onLoggedIn(ServerConnection server) {
            say("logged in, " + server.startValues().keySet());
            server.attach(this);
        }

        @Override
        public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
            say("login failed at " + step + ": " + refusal);
        }

        @Override
        public void onClosed(ServerConnection server) {
            say("gone");
        }

        @Override
        public void onPromoted(ServerConnection server) {
            say("promoted");
        }
    }
}
