package io.plenum.pooler.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.Reason;
import io.plenum.testbed.Frames;
import io.plenum.wire.FrontendType;
import io.plenum.wire.error.ErrorResponse;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Names mean the same through the pooler as in a session of one's own, whenever the answers come: clients say made-up
 * pipelines in turn, on servers that change from one to the next, and between any two messages some of what is owed is
 * answered, or none.
 *
 * <p>{@code -Dnames=2000000} plays more, {@code -Dnames.seed=17 -Dnames=1} one again.
 */
@ExtendWith(LeakWatch.class)
class StatementNamesTest {
    private static final int COUNT = Integer.getInteger("names", 3_000);
    private static final long FIRST_SEED = Long.getLong("names.seed", 1);
    private static final int CLIENTS = 3;
    private static final int SERVERS = 2;
    private static final int PIPELINES = 8;
    /** Few, so that servers are made to forget. */
    private static final int MOST_PREPARED = 3;

    private static final List<String> NAMES = List.of("", "", "a", "b", "c");
    private static final List<String> TEXTS =
            List.of("SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4", "SELECT 5", "BAD", "FAIL", "", "ROLLBACK");
    private static final List<String> QUERIES = List.of(
            "SELECT 1", "SELECT 2", "BAD", "FAIL", "BEGIN", "ROLLBACK", "ROLLBACK", "ROLLBACK", "DEALLOCATE ALL");

    /** A message and the words for it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Said(FrontendType type, byte[] bytes, String words) {}

    @Test
    void namesMeanTheSameWhateverTheOrderOfEvents() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
            try (var stage = new Stage(seed)) {
                stage.play();
            }
        }
    }

    /** A server with its end of the connection. */
    private static final class Server {
        final NamesOfOneSession session = new NamesOfOneSession();
        final ServerConnection connection;
        final EmbeddedChannel channel;

        Server(long id) {
            var loop = new Loop(0, new EmbeddedChannel().eventLoop(), Transport.NIO);
            var address = new InetSocketAddress("localhost", 1);
            var target = new ServerTarget(address, "d", "u", new ServerCredential.None(), Map.of(), null);
            connection = new ServerConnection(id, loop, target, new NobodysServer());
            channel = new EmbeddedChannel(connection);
            channel.releaseOutbound(); // the startup packet
            channel.writeInbound(Unpooled.copiedBuffer("R\0\0\0\b\0\0\0\0Z\0\0\0\5I", StandardCharsets.ISO_8859_1));
        }

        /** Gives the pooler the oldest answer; false when there is none. */
        boolean answer() {
            ByteBuf answer = session.answer();
            if (answer != null) {
                channel.writeInbound(answer);
            }
            return answer != null;
        }

        void send() {
            connection.outbox().flush();
            for (ByteBuf sent = channel.readOutbound(); sent != null; sent = channel.readOutbound()) {
                session.receive(sent);
            }
        }
    }

    private static final class NobodysServer implements ServerConnection.Owner {
        @Override
        public void onLoggedIn(ServerConnection server) {}

        @Override
        public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
            throw new AssertionError(step);
        }

        @Override
        public void onClosed(ServerConnection server) {}

        @Override
        public void onCancelsDone(ServerConnection server) {}
    }

    /** A client in front of the pooler, and the same with a session of its own. */
    private static final class Client implements ServerConnection.Reader {
        final EmbeddedChannel channel = new EmbeddedChannel();
        final Outbox outbox = new Outbox(channel);
        final ClientStatements statements = new ClientStatements();
        final NamesOfOneSession own = new NamesOfOneSession();
        final StatementNames names;
        final StringBuilder expected = new StringBuilder();
        final StringBuilder heard = new StringBuilder();
        private @Nullable Server server;

        Client(StatementCache cache) {
            var stats = new PoolStats();
            var client = (LinkedClient) Proxy.newProxyInstance(
                    LinkedClient.class.getClassLoader(),
                    new Class<?>[] {LinkedClient.class},
                    (proxy, method, given) -> switch (method.getName()) {
                        case "outbox" -> outbox;
                        case "statements" -> statements;
                        case "stats" -> stats;
                        case "searchPath", "database" -> "";
                        case "judgedBy" -> 0L;
                        case "id" -> (long) System.identityHashCode(statements);
                        case "holdsRequest" -> false;
                        case "settings" -> SessionSettings.NONE;
                        case "equals" -> proxy == given[0];
                        default -> throw new UnsupportedOperationException(method.getName());
                    });
            names = new StatementNames(client, cache, true);
            names.limit(MOST_PREPARED);
        }

        ServerConnection linked() {
            if (server == null) {
                throw new IllegalStateException("not linked");
            }
            return server.connection;
        }

        void begin(Server server) {
            this.server = server;
            names.begin();
            server.connection.attach(this);
        }

        void end() {
            linked().detach();
            server = null;
        }

        /** Whether it was sent on; else it has to wait. */
        boolean say(Said said) {
            ServerConnection linked = linked();
            ByteBuf bytes = Unpooled.wrappedBuffer(said.bytes());
            int end = said.bytes().length;
            boolean skipped = linked.group().isSkipped() && said.type() != FrontendType.SYNC;
            if (!skipped && names.mustWait(linked, said.type(), bytes, 0, end)) {
                return false;
            }
            if (skipped) {
                linked.outbox().forward(bytes, 0, end);
            } else {
                send(linked, said, bytes, end);
            }
            own.receive(Unpooled.copiedBuffer(said.bytes()));
            for (ByteBuf answer = own.answer(); answer != null; answer = own.answer()) {
                describe(answer, expected);
            }
            return true;
        }

        private void send(ServerConnection linked, Said said, ByteBuf bytes, int end) {
            switch (said.type()) {
                case PARSE -> {
                    names.parseAt(bytes, 0, end);
                    names.parse(linked, bytes, 0, end, names.keeps(true, end), false, Reason.READ, 0);
                }
                case BIND -> names.bind(linked, names.bindAt(bytes, 0, end), bytes, 0, end);
                case DESCRIBE -> names.describe(linked, bytes, 0, end);
                case CLOSE -> names.close(linked, false, bytes, 0, end);
                case EXECUTE -> {
                    linked.group().setOpen(true);
                    linked.replies().add(Reply.EXECUTE, Origin.CLIENT);
                    linked.outbox().forward(bytes, 0, end);
                }
                case QUERY -> {
                    if (said.words().contains("DEALLOCATE")) {
                        names.onEndsAll(linked);
                    }
                    linked.replies().add(Reply.QUERY, Origin.CLIENT, names.query(linked));
                    linked.group().setOpen(false);
                    linked.outbox().forward(bytes, 0, end);
                }
                case SYNC -> {
                    linked.endGroup();
                    linked.group().setSkipped(false);
                    linked.group().setOpen(false);
                    linked.replies().add(Reply.SYNC, Origin.CLIENT);
                    linked.outbox().forward(bytes, 0, end);
                }
                default -> linked.outbox().forward(bytes, 0, end);
            }
        }

        @Override
        public void forward(ByteBuf bytes, int start, int end) {
            outbox.forward(bytes, start, end);
        }

        @Override
        public void onSynthetic(Reply reply) {
            names.answers().give(reply);
        }

        @Override
        public void onUnanswered(Reply reply, @Nullable Object subject, boolean itself) {
            names.onUnanswered(linked(), reply, subject, itself);
        }

        @Override
        public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
            return true;
        }

        @Override
        public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
            return !names.onError(linked(), error, subject, bytes, start, end);
        }

        @Override
        public void onStatementsForgotten(boolean settingsToo) {
            names.onForgotten(linked());
        }

        @Override
        public void onBatchEnd() {
            hear();
        }

        void hear() {
            outbox.flush();
            for (ByteBuf sent = channel.readOutbound(); sent != null; sent = channel.readOutbound()) {
                describe(sent, heard);
            }
        }

        @Override
        public void onLost(@Nullable ErrorResponse fatal) {
            throw new AssertionError("lost: " + fatal);
        }

        private static void describe(ByteBuf messages, StringBuilder out) {
            while (messages.isReadable()) {
                out.append((char) messages.readByte());
                int length = messages.readInt() - 4;
                out.append(messages.readCharSequence(length, StandardCharsets.ISO_8859_1)
                                .toString()
                                .replace('\0', ' '))
                        .append('\n');
            }
            messages.release();
        }
    }

    /** One run of made-up pipelines. */
    private static final class Stage implements AutoCloseable {
        private final long seed;
        private final Random random;
        private final List<Server> servers = new ArrayList<>();
        private final List<Client> clients = new ArrayList<>();
        private final StringBuilder story = new StringBuilder();

        Stage(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
            var cache = new StatementCache(1 << 20);
            for (int i = 0; i < SERVERS; i++) {
                servers.add(new Server(i));
            }
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(new Client(cache));
            }
        }

        void play() {
            for (int i = 0; i < PIPELINES; i++) {
                int who = random.nextInt(3) == 0 ? random.nextInt(CLIENTS) : 0;
                int where = random.nextInt(SERVERS);
                story.append("client ")
                        .append(who)
                        .append(" on server ")
                        .append(where)
                        .append('\n');
                play(clients.get(who), servers.get(where));
            }
        }

        private void play(Client client, Server server) {
            client.begin(server);
            int groups = 1 + random.nextInt(5);
            int patience = random.nextInt(4); // how much is answered meanwhile: nothing, little, much
            for (int i = 0; i < groups; i++) {
                for (Said said : group()) {
                    say(client, server, said, patience);
                }
            }
            say(client, server, said(FrontendType.SYNC, Frames.sync(), "Sync"), patience);
            say(client, server, query("ROLLBACK"), patience);
            while (server.answer()) {
                // all that is owed
            }
            client.hear();
            assertThat(client.heard.toString()).as(this::told).isEqualTo(client.expected.toString());
            assertThat(server.connection.isQuiet()).as(this::told).isTrue();
            assertThat(server.connection.statements().size()).as(this::told).isEqualTo(server.session.named());
            client.end();
        }

        private void say(Client client, Server server, Said said, int patience) {
            story.append("    ").append(said.words()).append('\n');
            while (!client.say(said)) {
                story.append("        waits\n");
                server.send();
                assertThat(server.answer())
                        .as(() -> "waits for nothing: " + told())
                        .isTrue();
            }
            server.send();
            for (int i = random.nextInt(3); i < patience && server.answer(); i++) {
                story.append("        answer\n");
            }
        }

        private String told() {
            return "-Dnames.seed=" + seed + "\n" + story;
        }

        private List<Said> group() {
            if (random.nextInt(5) == 0) {
                return List.of(query(any(QUERIES)));
            }
            List<Said> group = new ArrayList<>();
            for (int i = random.nextInt(5); i >= 0; i--) {
                group.add(message());
            }
            group.add(random.nextInt(12) == 0 ? query(any(QUERIES)) : said(FrontendType.SYNC, Frames.sync(), "Sync"));
            return group;
        }

        private Said message() {
            String name = any(NAMES);
            return switch (random.nextInt(9)) {
                case 0, 1, 2 -> {
                    String text = any(TEXTS);
                    yield said(FrontendType.PARSE, Frames.parse(name, text), "Parse '" + name + "' " + text);
                }
                case 3, 4 -> said(FrontendType.BIND, Frames.bind("", name), "Bind of '" + name + "'");
                case 5 -> said(FrontendType.DESCRIBE, Frames.describeStatement(name), "Describe '" + name + "'");
                case 6 -> said(FrontendType.CLOSE, Frames.closeStatement(name), "Close '" + name + "'");
                case 7 -> said(FrontendType.EXECUTE, Frames.execute(), "Execute");
                default -> said(FrontendType.FLUSH, Frames.flush(), "Flush");
            };
        }

        private static Said query(String text) {
            return said(FrontendType.QUERY, Frames.query(text), "Query " + text);
        }

        private static Said said(FrontendType type, byte[] bytes, String words) {
            return new Said(type, bytes, words);
        }

        private <T> T any(List<T> choices) {
            return choices.get(random.nextInt(choices.size()));
        }

        @Override
        public void close() {
            servers.forEach(server -> server.channel.finishAndReleaseAll());
            clients.forEach(client -> client.channel.finishAndReleaseAll());
        }
    }
}
