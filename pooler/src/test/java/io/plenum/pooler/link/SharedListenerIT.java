package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** LISTEN in transaction mode: the client hears what a session of its own would, and keeps no server for it. */
@ExtendWith(LeakWatch.class)
class SharedListenerIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @Test
    void listenerKeepsNoServerAndHearsWhileIdle() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            listener.rows("LISTEN news");

            notifier.rows("NOTIFY news, 'first'");
            assertThat(heard(listener.read())).isEqualTo("news first");
            notifier.rows("SELECT pg_notify('news', 'second')");
            assertThat(heard(listener.read())).isEqualTo("news second");
            assertThat(notifier.value("SELECT count(*) FROM pg_listening_channels()"))
                    .isEqualTo("0");
        }
    }

    /** What comes back, in which order, compared with a session of one's own; ends hold a marker that is always heard. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "LISTEN a; NOTIFY a, '1'",
                "LISTEN a|NOTIFY a, '1'|NOTIFY a, '2'",
                "LISTEN a|BEGIN|NOTIFY a, '1'|SELECT 1|COMMIT",
                "LISTEN a|BEGIN|NOTIFY a, '1'|ROLLBACK|NOTIFY a, '2'",
                "BEGIN|LISTEN a|NOTIFY a, '1'|COMMIT|NOTIFY a, '2'",
                "BEGIN|LISTEN a|ROLLBACK|NOTIFY a, '1'",
                "BEGIN|SAVEPOINT s|LISTEN a|ROLLBACK TO s|LISTEN b|COMMIT|NOTIFY a, '1'|NOTIFY b, '2'",
                "LISTEN a|LISTEN b|UNLISTEN a|NOTIFY a, '1'|NOTIFY b, '2'",
                "LISTEN a|LISTEN b|UNLISTEN *|NOTIFY a, '1'|NOTIFY b, '2'",
                "LISTEN a|BEGIN|UNLISTEN a|ROLLBACK|NOTIFY a, '1'",
                "LISTEN a|BEGIN|UNLISTEN *|ROLLBACK|NOTIFY a, '1'",
                "LISTEN a|BEGIN|SAVEPOINT s|UNLISTEN a|ROLLBACK TO s|COMMIT|NOTIFY a, '1'",
                "LISTEN a|BEGIN|UNLISTEN a|LISTEN b|COMMIT|NOTIFY a, '1'|NOTIFY b, '2'",
                "LISTEN a|DISCARD ALL|NOTIFY a, '1'",
                "LISTEN a|SELECT pg_listening_channels()|UNLISTEN a|SELECT pg_listening_channels()",
                "LISTEN a|BEGIN|SELECT pg_listening_channels()|COMMIT",
                "LISTEN a|BEGIN|COMMIT|BEGIN|ROLLBACK|NOTIFY a, '1'",
                "LISTEN a|BEGIN|NOTIFY b|UNLISTEN a|LISTEN b|COMMIT|NOTIFY a, '1'|NOTIFY b, '2'",
                "SET client_encoding = 'LATIN1'|LISTEN a|SET client_encoding = 'UTF8'|SELECT"
                        + " pg_advisory_lock(77)|NOTIFY a, '1'",
                "SET client_encoding = 'LATIN1'|LISTEN a|SET client_encoding = 'UTF8'|LISTEN b|NOTIFY a, '1'|NOTIFY b,"
                        + " '2'",
                "SET client_encoding = 'LATIN1'|LISTEN a|SET client_encoding = 'UTF8'|UNLISTEN a|LISTEN b|NOTIFY"
                        + " a|NOTIFY b, '2'",
                "LISTEN a|SET client_encoding = 'LATIN1'|LISTEN a|NOTIFY a, '1'|SELECT 1",
                "LISTEN a|SET client_encoding = 'LATIN1'|LISTEN b|NOTIFY a, '1'|NOTIFY b, '2'",
                "LISTEN a|SET client_encoding = 'LATIN1'|UNLISTEN a|NOTIFY a, '1'|SELECT 1",
                "LISTEN a|BEGIN|SET client_encoding = 'LATIN1'|LISTEN b|COMMIT|NOTIFY a, '1'|NOTIFY b, '2'",
                "BEGIN|LISTEN a|SET client_encoding = 'LATIN1'|LISTEN b|COMMIT|NOTIFY a, '1'|NOTIFY b, '2'",
                "LISTEN \"A b\"|NOTIFY \"A b\", '1'|NOTIFY a, '2'",
                "LISTEN a|LISTEN a|NOTIFY a, '1'",
                "LISTEN a|DO $$BEGIN PERFORM pg_notify('a', '1'); END$$|SELECT 2",
                "LISTEN a|NOTIFY a, '1'; NOTIFY a, '1'; NOTIFY a, '2'",
                "LISTEN 5|LISTEN a|NOTIFY a"
            })
    void whatComesBackIsWhatASessionOfOnesOwnGets(String script) throws Exception {
        List<List<String>> transcripts = new ArrayList<>();
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2")) {
            for (int port : new int[] {SERVER.port(), pooler.port()}) {
                for (boolean extended : new boolean[] {false, true}) {
                    if (extended && script.contains(";")) {
                        continue; // one statement a Parse
                    }
                    try (var client = RunningPooler.wire(port, Map.of(), null);
                            var stranger = RunningPooler.wire(port, Map.of(), null)) {
                        transcripts.add(play(client, stranger, script, extended));
                    }
                }
            }
        }
        int each = transcripts.size() / 2;
        for (int i = 0; i < each; i++) {
            assertThat(transcripts.get(each + i)).isEqualTo(transcripts.get(i));
        }
    }

    private static List<String> play(WireClient client, WireClient stranger, String script, boolean extended)
            throws IOException {
        List<String> transcript = new ArrayList<>();
        for (String statement : (script + "|LISTEN marker|NOTIFY marker").split("\\|", -1)) {
            if (extended) {
                client.send(parse("", statement), bind("", ""), execute(), sync());
            } else {
                client.send(query(statement));
            }
            for (Message message : client.readUntilReady()) {
                transcript.add(message.type() == 'A' ? "A " + heard(message) : message.type() + " " + text(message));
            }
            stranger.rows("SELECT 1");
        }
        return transcript;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT pg_advisory_lock_shared(23)|LISTEN heard",
                "PREPARE q1 AS SELECT 1|LISTEN heard",
                "LISTEN other|LISTEN heard"
            })
    void listenIsAnsweredWhileTheSessionIsAskedWhatItHolds(String statements) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            listener.timeout(Duration.ofSeconds(5));
            String[] both = statements.split("\\|", -1);
            listener.send(query(both[0]), query(both[1]));
            listener.readUntilReady();
            listener.readUntilReady();
            notifier.rows("NOTIFY heard, 'here'");
            assertThat(heard(listener.read())).isEqualTo("heard here");
        }
    }

    @Test
    void notificationsWaitForTheEndOfTheTransaction() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            listener.rows("LISTEN news");
            listener.rows("BEGIN");
            notifier.rows("NOTIFY news, 'meanwhile'");
            Thread.sleep(200);
            listener.send(query("SELECT 1"));
            assertThat(types(listener.readUntilReady())).isEqualTo("TDCZ");

            listener.send(query("COMMIT"));

            assertThat(types(listener.readUntilReady())).isEqualTo("CAZ");
        }
    }

    /** As with sessions of their own: who is answered after the notifier was has heard of it. */
    @ParameterizedTest
    @ValueSource(strings = {"SELECT 1", "UNLISTEN news", "UNLISTEN *", "DISCARD ALL", "BEGIN; COMMIT"})
    void whatANotifierWasAnsweredForIsHeardBeforeAnythingSentAfterwardsIsAnswered(String afterwards) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            for (int i = 0; i < 100; i++) {
                listener.rows("LISTEN news");
                notifier.rows("NOTIFY news, '" + i + "'");
                listener.send(query(afterwards));
                assertThat(listener.readUntilReady())
                        .filteredOn(message -> message.type() == 'A')
                        .extracting(SharedListenerIT::heard)
                        .containsExactly("news " + i);
            }
        }
    }

    @Test
    void transactionThatRunsNothingTakesNoServerAndEndsWithWhatWasNotified() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            notifier.timeout(Duration.ofSeconds(5));
            listener.rows("LISTEN news");
            listener.rows("BEGIN");
            notifier.rows("NOTIFY news, 'meanwhile'"); // by the only server
            Thread.sleep(200);

            listener.send(query("COMMIT"));

            assertThat(types(listener.readUntilReady())).isEqualTo("CAZ");
        }
    }

    @Test
    void manyListenersShareOneConnection() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "event_loops = 2");
                var notifier = pooler.wire();
                var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            List<WireClient> listeners = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                var listener = pooler.wire();
                listener.rows("LISTEN news");
                listener.rows("LISTEN own" + i);
                listeners.add(listener);
            }
            assertThat(control.value(
                            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plenum listener'"))
                    .isEqualTo("1");
            notifier.rows("NOTIFY news, 'all'");
            for (int i = 0; i < 20; i++) {
                notifier.rows("NOTIFY own" + i + ", 'one'");
            }
            for (int i = 0; i < 20; i++) {
                assertThat(heard(listeners.get(i).read())).isEqualTo("news all");
                assertThat(heard(listeners.get(i).read())).isEqualTo("own" + i + " one");
                listeners.get(i).close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1000"})
    void nothingIsLostOrHeardTwice(int count) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            listener.rows("LISTEN news");
            var writer = Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < count; i++) {
                        notifier.rows("NOTIFY news, '" + i + "'");
                    }
                } catch (IOException failure) {
                    throw new IllegalStateException(failure);
                }
            });
            List<String> payloads = new ArrayList<>();
            int asked = 0;
            while (payloads.size() < count) {
                if (payloads.size() % 50 == 0 && asked < payloads.size()) {
                    asked = payloads.size();
                    listener.send(query("BEGIN; LISTEN other; COMMIT"), query("UNLISTEN other"));
                    int ready = 0;
                    while (ready < 2) {
                        var message = listener.read();
                        ready += message.type() == 'Z' ? 1 : 0;
                        if (message.type() == 'A') {
                            payloads.add(heard(message));
                        }
                    }
                } else {
                    payloads.add(heard(listener.read()));
                }
            }
            writer.join();
            for (int i = 0; i < count; i++) {
                assertThat(payloads.get(i)).isEqualTo("news " + i);
            }
        }
    }

    @Test
    void listenersOutliveTheDeathOfTheSharedConnection() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var listener = pooler.wire();
                var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            listener.rows("LISTEN news");
            control.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    + " WHERE application_name = 'plenum listener'");
            long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
            listener.timeout(Duration.ofMillis(200));
            while (true) {
                control.rows("NOTIFY news, 'again'");
                try {
                    assertThat(heard(listener.read())).isEqualTo("news again");
                    return;
                } catch (java.net.SocketTimeoutException notYet) {
                    assertThat(System.nanoTime()).isLessThan(deadline);
                }
            }
        }
    }

    @Test
    void nothingFollowsTheLastWordOfAServerThatDiesBeforeItTellsOfTheChannels() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var listener = pooler.wire();
                var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            var pid = listener.value("SELECT pg_backend_pid()");
            control.rows("BEGIN; LOCK TABLE pg_catalog.pg_depend"); // which our question reads
            listener.send(query("LISTEN news"));
            assertThat(listener.read().commandTag()).isEqualTo("LISTEN");

            control.rows("SELECT pg_terminate_backend(" + pid + ")");
            control.rows("ROLLBACK");

            assertThat(listener.read().field('C')).isEqualTo("57P01");
            assertThat(listener.isClosedWithin(Duration.ofSeconds(5))).isTrue();
        }
    }

    @Test
    void sessionModeListensOnItsOwnServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "pool_mode = session");
                var listener = pooler.wire();
                var notifier = pooler.wire()) {
            listener.rows("LISTEN news");
            notifier.rows("NOTIFY news, 'session'");
            assertThat(heard(listener.read())).isEqualTo("news session");
        }
    }

    /** Channel and payload. */
    private static String heard(Message message) {
        assertThat(message.type()).isEqualTo('A');
        String[] parts =
                new String(message.body(), 4, message.body().length - 4, StandardCharsets.UTF_8).split("\0", -1);
        return parts[0] + " " + parts[1];
    }

    private static String text(Message message) {
        return message.type() == 'E'
                ? String.valueOf(message.field('C'))
                : new String(message.body(), StandardCharsets.ISO_8859_1);
    }

    private static String types(List<Message> messages) {
        var types = new StringBuilder();
        messages.forEach(message -> types.append(message.type()));
        return types.toString();
    }
}
