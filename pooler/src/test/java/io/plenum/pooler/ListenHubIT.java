package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.discovery.Clusters;
import io.plenum.pooler.listen.ClientChannels;
import io.plenum.pooler.listen.ListenHub;
import io.plenum.pooler.listen.ListenHubs;
import io.plenum.pooler.listen.Notification;
import io.plenum.pooler.listen.NotificationListener;
import io.plenum.pooler.listen.PendingNotifications;
import io.plenum.pooler.listen.Subscription;
import io.plenum.pooler.net.EventLoops;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.StopMode;
import io.plenum.wire.error.ErrorResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The shared listener beside a real server, without a client. */
@ExtendWith(LeakWatch.class)
class ListenHubIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final Duration WITHIN = Duration.ofSeconds(10);
    private static final String ONE_HUB =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plenum listener' AND datname = 'app'";

    private final EventLoops loops = EventLoops.start(Transport.best(), 2);
    private final Loop near = loops.loops().getFirst();
    private final Loop far = loops.loops().getLast();

    private PoolerConfig config = PoolerConfig.defaults();
    private @Nullable Clusters clusters;
    private @Nullable ListenHubs hubs;

    @AfterEach
    void stop() throws Exception {
        if (hubs != null) {
            hubs.close();
        }
        if (clusters != null) {
            clusters.close();
        }
        loops.close();
        await("the listener's end", () -> "0".equals(SERVER.node().query(ONE_HUB)));
    }

    // --- hearing ---------------------------------------------------------------------------------------------------

    @Test
    void listenersOfTwoLoopsHearOneChannelOverOneConnection() throws Exception {
        ListenHub hub = hub();
        var one = new Ear(near);
        var two = new Ear(far);
        one.subscribe(hub, "news");
        two.subscribe(hub, "news");

        execute("NOTIFY news, 'first'", "NOTIFY news, 'x'");

        await("both hear", () -> one.heard.size() == 2 && two.heard.size() == 2);
        assertThat(one.texts()).containsExactly("news:first", "news:x");
        assertThat(two.texts()).containsExactly("news:first", "news:x");
        assertThat(SERVER.node().query(ONE_HUB)).isEqualTo("1");
        assertThat(facts(hub).notifications()).isEqualTo(2);
        assertThat(facts(hub).deliveries()).isEqualTo(4);
    }

    @Test
    void listenerOfTwoChannelsHearsEachNotificationOnce() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(far);
        ear.subscribe(hub, "a");
        ear.subscribe(hub, "b");

        execute("NOTIFY a, '1'", "NOTIFY b, '2'", "NOTIFY c, '3'", "NOTIFY a, '4'");

        barrier(hub, far);
        assertThat(ear.texts()).containsExactly("a:1", "b:2", "a:4");
    }

    @Test
    void processOfTheSenderIsTold() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(near);
        ear.subscribe(hub, "who");
        try (var sender = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            sender.rows("NOTIFY who");
            barrier(hub, near);
            assertThat(ear.heard).extracting(Notification::processId).containsExactly(sender.processId());
        }
    }

    @Test
    void thousandNotificationsComeInOrder() throws Exception {
        ListenHub hub = hub();
        var one = new Ear(near);
        var two = new Ear(far);
        one.subscribe(hub, "counted");
        two.subscribe(hub, "counted");
        String[] transactions = IntStream.range(0, 100)
                .mapToObj(t ->
                        "SELECT pg_notify('counted', (%d * 10 + i)::text) FROM generate_series(0, 9) AS i".formatted(t))
                .toArray(String[]::new);

        execute(transactions);

        var expected = IntStream.range(0, 1_000).mapToObj(i -> "counted:" + i).toList();
        barrier(hub, near);
        assertThat(one.texts()).isEqualTo(expected);
        barrier(hub, far);
        assertThat(two.texts()).isEqualTo(expected);
    }

    @Test
    void largestPayloadIsIntactToTheByte() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(far);
        ear.subscribe(hub, "large");
        String payload = "€ä😀x'\\\"".repeat(8_000 / 13).substring(0, 4_000);
        payload += "y".repeat(7_999 - payload.getBytes(StandardCharsets.UTF_8).length);

        notify("large", payload);
        notify("large", "z".repeat(7_999));
        notify("large", "");

        barrier(hub, far);
        assertThat(ear.heard).extracting(Notification::payload).containsExactly(payload, "z".repeat(7_999), "");
        assertThat(ear.heard.getFirst().size()).isEqualTo(1 + 4 + 4 + "large\0".length() + 7_999 + 1);
    }

    @Test
    void namesAreIdentifiersAndNeverSql() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(near);
        String[] names = {"Mixed Case", "a\"; LISTEN \"b", "größe€", "x".repeat(70), "ä".repeat(40), "sel'ect\\"};
        for (String name : names) {
            ear.subscribe(hub, name);
        }

        for (String name : names) {
            execute("NOTIFY \"%s\"".formatted(name.replace("\"", "\"\"")));
        }
        execute("NOTIFY b", "NOTIFY \"mixed case\"");

        barrier(hub, near);
        assertThat(ear.heard)
                .extracting(Notification::channel)
                .containsExactly(names[0], names[1], names[2], "x".repeat(63), "ä".repeat(31), names[5]);
    }

    @Test
    void databasesWithTheSameChannelAreNotMixed() throws Exception {
        ListenHub app = hub();
        ListenHub other = hubs().hub(database("other"), "postgres", far);
        var inApp = new Ear(near);
        var inOther = new Ear(near);
        inApp.subscribe(app, "same");
        inOther.subscribe(other, "same");

        execute("NOTIFY same, 'of app'");
        run(SERVER.node(), "postgres", "NOTIFY same, 'of postgres'");

        barrier(app, near);
        barrier(other, near);
        assertThat(inApp.texts()).containsExactly("same:of app");
        assertThat(inOther.texts()).containsExactly("same:of postgres");
        assertThat(other).isNotSameAs(app).isSameAs(hubs().hub(database("other"), "postgres", near));
        assertThat(hubs().hub(database("app"), "trust_user", near)).isNotSameAs(app);
    }

    @Test
    void barrierComesBehindAllThatWasCommittedBefore() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(far);
        ear.subscribe(hub, "self");
        try (Connection connection = SERVER.node().connect("app", "postgres", "");
                var statement = connection.createStatement()) {
            for (int i = 1; i <= 300; i++) {
                statement.execute("NOTIFY self, '" + i + "'");
                assertThat(heardAtBarrier(hub, far, ear)).isEqualTo(i);
            }
        }
    }

    @Test
    void barrierWithoutAConnectionDoesNotWait() throws Exception {
        barrier(hub(), far);
        assertThat(SERVER.node().query(ONE_HUB)).isEqualTo("0");
    }

    @Test
    void whoListensToWhatOthersHearIsNotToldWhatWasNotifiedBefore() throws Exception {
        ListenHub hub = hub();
        var first = new Ear(far);
        first.subscribe(hub, "news");
        var frozen = new CountDownLatch(1);
        near.executor().execute(() -> {
            try {
                var _ = frozen.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        });
        execute("NOTIFY news, 'before'");
        var late = new Ear(far);
        CompletableFuture<Subscription> begun = on(far, () -> late.begin(hub, "news"));
        Thread.sleep(200); // the notification lies in the socket
        frozen.countDown();
        begun.get(10, TimeUnit.SECONDS);

        execute("NOTIFY news, 'behind'");

        barrier(hub, far);
        assertThat(late.texts()).containsExactly("news:behind");
        assertThat(first.texts()).containsExactly("news:before", "news:behind");
    }

    // --- subscribing -----------------------------------------------------------------------------------------------

    @Test
    void manyChannelsWantedAtOnceTakeFewRoundTrips() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(near);
        var confirmed = new CompletableFuture<?>[500];
        on(near, () -> {
            for (int i = 0; i < confirmed.length; i++) {
                confirmed[i] = ear.begin(hub, "c" + i);
            }
            return null;
        });
        CompletableFuture.allOf(confirmed).get(10, TimeUnit.SECONDS);

        assertThat(lastSql()).startsWith("LISTEN \"c0\";LISTEN \"c1\";LISTEN \"c2\";");
        assertThat(facts(hub).listened()).isEqualTo(500);
    }

    @Test
    void channelIsLeftWithItsLastSubscriber() throws Exception {
        ListenHub hub = hub();
        var one = new Ear(near);
        var two = new Ear(far);
        Subscription first = one.subscribe(hub, "shared");
        Subscription second = two.subscribe(hub, "shared");
        one.subscribe(hub, "stays");

        on(near, () -> {
            hub.unsubscribe(first);
            hub.unsubscribe(first);
            return null;
        });
        execute("NOTIFY shared, 'to one'");
        barrier(hub, far);
        assertThat(two.texts()).containsExactly("shared:to one");
        assertThat(one.texts()).isEmpty();
        assertThat(facts(hub).listened()).isEqualTo(2);

        on(far, () -> {
            hub.unsubscribe(second);
            return null;
        });
        await("UNLISTEN", () -> facts(hub).listened() == 1);
        assertThat(lastSql()).isEqualTo("UNLISTEN \"shared\";");
        execute("NOTIFY shared, 'to none'", "NOTIFY stays, 'here'");
        barrier(hub, near);
        assertThat(one.texts()).containsExactly("stays:here");
        assertThat(facts(hub).notifications()).isEqualTo(2); // the server did not even send the one to none
    }

    @Test
    void channelThatIsLeftAndWantedAgainAtOnceIsHeard() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(far);
        ear.subscribe(hub, "other");
        for (int i = 0; i < 50; i++) {
            Subscription subscription = ear.subscribe(hub, "flickers");
            execute("NOTIFY flickers, '" + i + "'");
            barrier(hub, far);
            on(far, () -> {
                hub.unsubscribe(subscription);
                return null;
            });
        }
        assertThat(ear.texts())
                .isEqualTo(IntStream.range(0, 50).mapToObj(i -> "flickers:" + i).toList());
    }

    @Test
    void refusedNameHarmsNoOther() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(near);
        var good = new CompletableFuture<?>[2];
        CompletableFuture<ErrorResponse> refused = new CompletableFuture<>();
        on(near, () -> {
            good[0] = ear.begin(hub, "before");
            hub.subscribe("", ear, near, WITHIN, () -> refused.cancel(false), refused::complete);
            good[1] = ear.begin(hub, "behind");
            return null;
        });

        assertThat(refused.get(10, TimeUnit.SECONDS).code()).isEqualTo("42601"); // an identifier has a character
        CompletableFuture.allOf(good).get(10, TimeUnit.SECONDS);
        execute("NOTIFY before", "NOTIFY behind");
        barrier(hub, near);
        assertThat(ear.texts()).containsExactly("before:", "behind:");
        assertThat(facts(hub).losses()).isZero();
    }

    @Test
    void clientThatWaitsInVainIsToldWhy() throws Exception {
        start("app = host=127.0.0.1 port=1 monitor_user=postgres");
        ListenHub hub = hubs().hub(database("app"), "postgres", near);
        var ear = new Ear(far);
        CompletableFuture<ErrorResponse> failed = new CompletableFuture<>();
        on(
                far,
                () -> hub.subscribe(
                        "x", ear, far, Duration.ofMillis(200), () -> failed.cancel(false), failed::complete));

        ErrorResponse error = failed.get(10, TimeUnit.SECONDS);

        assertThat(error.code()).isEqualTo("57P03");
        assertThat(error.message()).startsWith("listen: ");
        assertThat(error.detail()).contains("200 ms").contains("database app");
        await("nobody is left", () -> facts(hub).subscriptions() == 0);
    }

    @Test
    void refusalOfTheLoginIsTold() throws Exception {
        start("app = host=%s port=%d monitor_user=postgres".formatted(SERVER.host(), SERVER.port()));
        ListenHub hub = hubs().hub(database("app"), "nobody_of_this_name", near);
        CompletableFuture<ErrorResponse> failed = new CompletableFuture<>();
        on(
                near,
                () -> hub.subscribe(
                        "x", new Ear(near), near, Duration.ofSeconds(3), () -> failed.cancel(false), failed::complete));

        assertThat(failed.get(10, TimeUnit.SECONDS).detail()).contains("nobody_of_this_name");
        assertThat(facts(hub).losses()).isPositive();
        assertThat(failed.get().detail()).contains("its last attempt ended with: ");
    }

    @Test
    void connectionIsClosedAWhileAfterTheLastChannel() throws Exception {
        start(ofServer(), Duration.ofMillis(300));
        ListenHub hub = hubs().hub(database("app"), "postgres", near);
        var ear = new Ear(far);
        Subscription subscription = ear.subscribe(hub, "brief");
        assertThat(SERVER.node().query(ONE_HUB)).isEqualTo("1");

        on(far, () -> {
            hub.unsubscribe(subscription);
            return null;
        });
        await("the connection is closed", () -> "0".equals(SERVER.node().query(ONE_HUB)));
        assertThat(facts(hub).losses()).isZero();

        ear.subscribe(hub, "again");
        execute("NOTIFY again");
        barrier(hub, far);
        assertThat(ear.texts()).containsExactly("again:");
        assertThat(ear.gaps).isEmpty();
    }

    @Test
    void connectionThatIsWantedAgainInTimeIsKept() throws Exception {
        start(ofServer(), Duration.ofMillis(400));
        ListenHub hub = hubs().hub(database("app"), "postgres", near);
        var ear = new Ear(near);
        Subscription first = ear.subscribe(hub, "x");
        String process = hubProcess();
        on(near, () -> {
            hub.unsubscribe(first);
            return null;
        });

        ear.subscribe(hub, "y");
        Thread.sleep(600);

        assertThat(hubProcess()).isEqualTo(process);
    }

    // --- loss ------------------------------------------------------------------------------------------------------

    @Test
    void killedConnectionIsReplacedAndListensAgain() throws Exception {
        ListenHub hub = hub();
        var one = new Ear(near);
        var two = new Ear(far);
        one.subscribe(hub, "a");
        two.subscribe(hub, "b");

        SERVER.node().query("SELECT pg_terminate_backend(%s)".formatted(hubProcess()));
        await("both are told", () -> !one.gaps.isEmpty() && !two.gaps.isEmpty());
        execute("NOTIFY a, 'after'", "NOTIFY b, 'after'");

        barrier(hub, near);
        barrier(hub, far);
        assertThat(one.texts()).containsExactly("a:after");
        assertThat(two.texts()).containsExactly("b:after");
        assertThat(one.gaps).containsExactly("a");
        assertThat(two.gaps).containsExactly("b");
        assertThat(facts(hub).losses()).isEqualTo(1);
    }

    @Test
    void barrierOfAConnectionThatDiesIsReleased() throws Exception {
        ListenHub hub = hub();
        var ear = new Ear(near);
        ear.subscribe(hub, "a");
        for (int i = 0; i < 5; i++) {
            String process = hubProcess();
            List<CompletableFuture<Integer>> barriers = new ArrayList<>();
            for (int k = 0; k < 20; k++) {
                if (k == 10) {
                    SERVER.node().query("SELECT pg_terminate_backend(%s)".formatted(process));
                }
                barriers.add(beginBarrier(hub, far, ear));
            }
            CompletableFuture.allOf(barriers.toArray(CompletableFuture[]::new)).get(5, TimeUnit.SECONDS);
            await("it listens again", () -> facts(hub).listened() == 1);
        }
    }

    @Test
    void barrierAtAServerThatHangsHoldsNobodyForLong() throws Exception {
        try (var own = PostgresServer.start()) {
            start("app = host=%s port=%d monitor_user=postgres".formatted(own.host(), own.port()));
            ListenHub hub = hubs().hub(database("app"), "postgres", near);
            var ear = new Ear(far);
            ear.subscribe(hub, "slow");

            own.node().freeze();
            var first = beginBarrier(hub, far, ear);
            var second = beginBarrier(hub, far, ear); // for a round that is not sent as long as that of the first runs
            CompletableFuture.allOf(first, second).get(5, TimeUnit.SECONDS);
            own.node().thaw();

            run(own.node(), "app", "NOTIFY slow, 'and alive'");
            barrier(hub, far);
            assertThat(ear.texts()).containsExactly("slow:and alive");
            assertThat(facts(hub).losses()).isZero();
        }
    }

    @Test
    void listenerMovesToThePromotedStandby() throws Exception {
        try (PostgresCluster cluster = PostgresCluster.builder().standbys(1).start()) {
            PostgresNode old = cluster.primary();
            PostgresNode next = cluster.standbys().getFirst();
            start("app = host=%s,%s port=%d monitor_user=postgres".formatted(old.host(), next.host(), old.port()));
            ListenHub hub = hubs().hub(database("app"), "postgres", near);
            var ear = new Ear(far);
            ear.subscribe(hub, "moving");
            assertThat(facts(hub).node()).isEqualTo(old.address());
            run(old, "app", "NOTIFY moving, 'before'");
            barrier(hub, far);

            cluster.awaitReplay();
            old.stop(StopMode.IMMEDIATE);
            cluster.promote(next);

            await("it listens there", () -> ear.gaps.equals(List.of("moving")));
            assertThat(facts(hub).node()).isEqualTo(next.address());
            run(next, "app", "NOTIFY moving, 'behind'");
            barrier(hub, far);
            assertThat(ear.texts()).containsExactly("moving:before", "moving:behind");
        }
    }

    @Test
    void listenerLeavesAnOldPrimaryThatStillRuns() throws Exception {
        try (PostgresCluster cluster = PostgresCluster.builder().standbys(1).start()) {
            PostgresNode old = cluster.primary();
            PostgresNode next = cluster.standbys().getFirst();
            start("app = host=%s,%s port=%d monitor_user=postgres".formatted(old.host(), next.host(), old.port()));
            ListenHub hub = hubs().hub(database("app"), "postgres", near);
            var ear = new Ear(far);
            ear.subscribe(hub, "moving");
            cluster.awaitReplay();

            next.promote(); // and nobody told the old one

            await("it listens there", () -> ear.gaps.equals(List.of("moving")));
            assertThat(facts(hub).node()).isEqualTo(next.address());
            assertThat(facts(hub).losses()).isZero();
            run(old, "app", "NOTIFY moving, 'lost'");
            run(next, "app", "NOTIFY moving, 'heard'");
            barrier(hub, far);
            assertThat(ear.texts()).containsExactly("moving:heard");
        }
    }

    @Test
    void loopThatHasEndedKeepsNobodyElseFromHearingNorTheHubFromItsEnd() throws Exception {
        ListenHub hub = hub();
        new Ear(far).subscribe(hub, "news");
        var ear = new Ear(near);
        ear.subscribe(hub, "news");
        far.executor().shutdownGracefully(0, 0, TimeUnit.SECONDS).await();

        execute("NOTIFY news, 'first'");
        barrier(hub, near);
        assertThat(ear.texts()).containsExactly("news:first");
        execute("NOTIFY news, 'second'");
        barrier(hub, near);
        assertThat(ear.texts()).containsExactly("news:first", "news:second");

        hubs().close();
        await("the hub's end", () -> facts(hub).channels() == 0);
    }

    // --- a client's transactions -----------------------------------------------------------------------------------

    @Test
    void committedListenIsHeardAndWhatCameMeanwhileWaitsForTheEnd() throws Exception {
        ListenHub hub = hub();
        var client = new ChannelClient(hub, far);

        client.begin();
        client.prepare("x");
        execute("NOTIFY x, 'inside'");
        barrier(hub, far);
        assertThat(client.texts).isEmpty();
        client.end("x");
        assertThat(client.texts).containsExactly("x:inside");

        execute("NOTIFY x, 'idle'");
        barrier(hub, far);
        assertThat(client.texts).containsExactly("x:inside", "x:idle");
    }

    @Test
    void rolledBackListenIsNotHeard() throws Exception {
        ListenHub hub = hub();
        var client = new ChannelClient(hub, far);
        client.begin();
        client.prepare("x");
        execute("NOTIFY x, 'inside'");
        barrier(hub, far);
        client.end();

        execute("NOTIFY x, 'behind'");
        barrier(hub, far);
        assertThat(client.texts).isEmpty();
        await("nobody is left", () -> facts(hub).subscriptions() == 0);
    }

    @Test
    void unlistenHoldsFromItsCommitOn() throws Exception {
        ListenHub hub = hub();
        var client = new ChannelClient(hub, near);
        client.listenTo("x", "y");

        client.begin();
        client.end("x", "y");
        execute("NOTIFY x, 'still'");
        barrier(hub, near);

        client.begin();
        client.end("y");
        execute("NOTIFY x, 'gone'", "NOTIFY y, 'stays'");
        barrier(hub, near);
        assertThat(client.texts).containsExactly("x:still", "y:stays");

        client.begin();
        client.end();
        assertThat(client.channels.isListening()).isFalse();
        await("nobody is left", () -> facts(hub).subscriptions() == 0);
    }

    @Test
    void ofWhatWasPreparedOnlyWhatTheTransactionKeptIsHeard() throws Exception {
        ListenHub hub = hub();
        var client = new ChannelClient(hub, near);
        client.begin();
        client.prepare("kept", "undone");
        client.end("kept");

        execute("NOTIFY kept", "NOTIFY undone");
        barrier(hub, near);
        assertThat(client.texts).containsExactly("kept:");
        await("one is left", () -> facts(hub).subscriptions() == 1);
    }

    @Test
    void clientThatTakesNothingForTooLongIsToBeClosed() throws Exception {
        ListenHub hub = hub();
        var client = new ChannelClient(hub, far);
        client.listenTo("flood");
        client.begin();

        execute("SELECT pg_notify('flood', i::text) FROM generate_series(1, %d) AS i"
                .formatted(PendingNotifications.MAX_COUNT));
        barrier(hub, far);
        assertThat(client.errors).isEmpty();
        execute("NOTIFY flood, 'one more'", "NOTIFY flood, 'and more'");
        barrier(hub, far);

        assertThat(client.errors).singleElement().satisfies(error -> {
            assertThat(error.code()).isEqualTo("53400");
            assertThat(error.isFatal()).isTrue();
            assertThat(error.detail()).contains("4096 notifications");
        });
        await("nobody is left", () -> facts(hub).subscriptions() == 0);
    }

    // --- pools -----------------------------------------------------------------------------------------------------

    @Test
    void idleServerOfAPoolDropsWhatItIsNotified() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var hidden = pooler.wire();
                var next = pooler.wire()) {
            hidden.rows("DO 'BEGIN EXECUTE ''LISTEN leaked''; END'"); // nobody sees it, so the server goes back
            String process = next.value("SELECT pg_backend_pid()");
            execute("NOTIFY leaked, 'x'");
            Thread.sleep(200);

            var messages = next.query("SELECT pg_backend_pid()");

            assertThat(messages)
                    .anySatisfy(message -> assertThat(message.text()).contains(process));
            assertThat(messages).noneMatch(message -> message.type() == 'A');
        }
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    /** Listens, and remembers on its loop what it is told. */
    private static final class Ear implements NotificationListener {
        private final Loop loop;
        private final List<Notification> heard = new CopyOnWriteArrayList<>();
        private final List<String> gaps = new CopyOnWriteArrayList<>();

        Ear(Loop loop) {
            this.loop = loop;
        }

        Subscription subscribe(ListenHub hub, String channel) throws Exception {
            CompletableFuture<CompletableFuture<Subscription>> begun = new CompletableFuture<>();
            loop.execute(() -> begun.complete(begin(hub, channel)));
            return begun.get(10, TimeUnit.SECONDS).get(10, TimeUnit.SECONDS);
        }

        /** On the loop; completes when the hub listens. */
        CompletableFuture<Subscription> begin(ListenHub hub, String channel) {
            CompletableFuture<Subscription> done = new CompletableFuture<>();
            var made = new Subscription[1];
            made[0] = hub.subscribe(
                    channel,
                    this,
                    loop,
                    WITHIN,
                    () -> done.complete(made[0]),
                    error -> done.completeExceptionally(new AssertionError(error.toString())));
            return done;
        }

        @Override
        public void onNotification(Notification notification) {
            assertThat(loop.isCurrent()).isTrue();
            heard.add(notification);
        }

        @Override
        public void onGap(String channel) {
            assertThat(loop.isCurrent()).isTrue();
            gaps.add(channel);
        }

        List<String> texts() {
            return heard.stream()
                    .map(notification -> notification.channel() + ":" + notification.payload())
                    .toList();
        }
    }

    /** A client as far as notifications are concerned: inside a transaction or not. */
    private static final class ChannelClient implements ClientChannels.Client {
        private final Loop loop;
        private final ClientChannels channels;
        private final List<String> texts = new CopyOnWriteArrayList<>();
        private final List<ErrorResponse> errors = new CopyOnWriteArrayList<>();
        private boolean idle = true;

        ChannelClient(ListenHub hub, Loop loop) {
            this.loop = loop;
            this.channels = new ClientChannels(hub, loop, this);
        }

        void listenTo(String... names) throws Exception {
            begin();
            prepare(names);
            end(names);
        }

        void begin() throws Exception {
            on(loop, () -> idle = false);
        }

        void prepare(String... names) throws Exception {
            CompletableFuture<Boolean> prepared = new CompletableFuture<>();
            on(loop, () -> {
                if (channels.prepare(
                        List.of(names),
                        WITHIN,
                        () -> prepared.complete(true),
                        error -> prepared.completeExceptionally(new AssertionError(error.toString())))) {
                    prepared.complete(true);
                }
                return null;
            });
            prepared.get(10, TimeUnit.SECONDS);
        }

        /** The server told that the transaction left these channels. */
        void end(String... names) throws Exception {
            on(loop, () -> {
                channels.become(List.of(names));
                ByteBuf out = Unpooled.buffer();
                channels.writePending(out);
                while (out.isReadable()) { // a NotificationResponse: type, length, process, channel, payload
                    out.skipBytes(9);
                    texts.add(text(out) + ":" + text(out));
                }
                idle = true;
                return null;
            });
        }

        private static String text(ByteBuf out) {
            String text = out.readCharSequence(out.bytesBefore((byte) 0), StandardCharsets.UTF_8)
                    .toString();
            out.skipBytes(1);
            return text;
        }

        @Override
        public boolean takesNotifications() {
            return idle;
        }

        @Override
        public void onNotification(Notification notification) {
            texts.add(notification.channel() + ":" + notification.payload());
        }

        @Override
        public void onTooMany(ErrorResponse error) {
            errors.add(error);
        }
    }

    private static String ofServer() {
        return """
            app = host=%1$s port=%2$d monitor_user=postgres
            other = host=%1$s port=%2$d dbname=postgres monitor_user=postgres\
            """.formatted(SERVER.host(), SERVER.port());
    }

    /** The hub of the superuser in the database {@code app}, on the near loop. */
    private ListenHub hub() {
        if (hubs == null) {
            start(ofServer());
        }
        return hubs().hub(database("app"), "postgres", near);
    }

    private void start(String databases) {
        start(databases, ListenHubs.GRACE);
    }

    private void start(String databases, Duration grace) {
        config = PoolerConfig.parse("[databases]\n%s\n".formatted(databases), Path.of(""));
        var credentials = new Credentials();
        var connector = SocketConnector.plain(() -> config, credentials);
        var found = new Clusters(loops.control(), () -> config, credentials, connector::connect, _ -> false);
        clusters = found;
        hubs = new ListenHubs(found::of, connector, grace);
    }

    private ListenHubs hubs() {
        return Objects.requireNonNull(hubs);
    }

    private DatabaseConfig database(String name) {
        return Objects.requireNonNull(config.database(name));
    }

    private static <T> T on(Loop loop, Callable<T> task) throws Exception {
        return loop.executor().submit(task).get(10, TimeUnit.SECONDS);
    }

    private static ListenHub.Facts facts(ListenHub hub) throws Exception {
        return on(hub.loop(), hub::facts);
    }

    private static void barrier(ListenHub hub, Loop loop) throws Exception {
        heardAtBarrier(hub, loop, new Ear(loop));
    }

    /** What the ear had heard when the barrier was through. */
    private static int heardAtBarrier(ListenHub hub, Loop loop, Ear ear) throws Exception {
        return beginBarrier(hub, loop, ear).get(10, TimeUnit.SECONDS);
    }

    private static CompletableFuture<Integer> beginBarrier(ListenHub hub, Loop loop, Ear ear) {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        loop.execute(() -> hub.barrier(loop, () -> done.complete(ear.heard.size())));
        return done;
    }

    /** Runs statements in the database {@code app}, each in a transaction of its own. */
    private static void execute(String... statements) throws SQLException {
        run(SERVER.node(), "app", statements);
    }

    private static void run(PostgresNode node, String database, String... statements) throws SQLException {
        try (Connection connection = node.connect(database, "postgres", "");
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static void notify(String channel, String payload) throws SQLException {
        try (Connection connection = SERVER.node().connect("app", "postgres", "");
                var statement = connection.prepareStatement("SELECT pg_notify(?, ?)")) {
            statement.setString(1, channel);
            statement.setString(2, payload);
            statement.execute();
        }
    }

    private static String lastSql() {
        return Objects.requireNonNull(SERVER.node()
                .query("SELECT query FROM pg_stat_activity WHERE application_name = 'plenum listener'"
                        + " AND datname = 'app' AND query <> ''"));
    }

    private static String hubProcess() {
        return Objects.requireNonNull(SERVER.node()
                .query("SELECT pid FROM pg_stat_activity WHERE application_name = 'plenum listener'"
                        + " AND datname = 'app'"));
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime() - deadline).as("still not: %s", what).isNegative();
            Thread.sleep(5);
        }
    }
}
