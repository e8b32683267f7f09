package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients who mean harm: none of them makes the pooler keep more than a client may. */
@ExtendWith(LeakWatch.class)
class HostileClientIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final long MOST_BYTES = 10 * 1024 * 1024;

    /** Millions of messages: to track each access to their buffers would take minutes. */
    @BeforeAll
    static void doNotTrack() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }

    @AfterAll
    static void trackAgain() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    /** Answers that need no server cost a client nothing, so they could be had without end. */
    @Test
    void whoDoesNotReadTheAnswersToItsSyncsIsNotRead() throws Exception {
        int syncs = 3_000_000; // 15 MB, answered with 18
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire()) {
            long before = directBytes();
            Thread sender = send(client, repeat(Frames.sync(), 1000), syncs / 1000);
            assertThat(mostFor(1_500, before)).isLessThan(MOST_BYTES);

            client.input().skipNBytes(6L * (syncs - 1));
            assertThat(client.read().type()).isEqualTo('Z');
            sender.join();
            assertThat(client.value("SELECT 'still there'")).isEqualTo("still there");
        }
    }

    /** A cancel request can take long, and nobody has proved who sends it. */
    @Test
    void whatStandsBehindACancelRequestIsNotKept() throws Exception {
        try (var server = PostgresServer.start();
                var pooler = RunningPooler.start(server);
                var client = pooler.wire();
                var hostile = pooler.open()) {
            client.send(Frames.query("SELECT pg_sleep(20)"));
            Thread.sleep(200);
            server.node().freeze(); // nobody sees the request through
            long before = directBytes();
            hostile.sendRaw(Frames.cancelRequest(client.processId(), client.cancelSecret()));
            Thread sender = send(hostile, new byte[64 * 1024], 1024);
            assertThat(mostFor(1_500, before)).isLessThan(MOST_BYTES);
            server.node().thaw();
            sender.join();
        }
    }

    @Test
    void namedStatementThatComesInVerySmallPartsIsPrepared() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire()) {
            byte[] parse = Frames.parse("large", "SELECT length('" + "x".repeat(1_000_000) + "')");
            for (int at = 0; at < parse.length; at += 700) {
                client.sendPart(parse, at, Math.min(parse.length, at + 700));
            }
            client.send(Frames.bind("", "large"), Frames.execute("", 0), Frames.sync());

            assertThat(client.readUntilReady().toString()).contains("1000000");
        }
    }

    private static byte[] repeat(byte[] message, int times) {
        byte[] all = new byte[message.length * times];
        for (int i = 0; i < times; i++) {
            System.arraycopy(message, 0, all, i * message.length, message.length);
        }
        return all;
    }

    /** Sends as long as it is let, on a thread of its own. */
    private static Thread send(WireClient client, byte[] bytes, int times) {
        byte[] own = Arrays.copyOf(bytes, bytes.length);
        return Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < times; i++) {
                    client.sendRaw(own);
                }
            } catch (IOException closed) {
                throw new UncheckedIOException(closed);
            }
        });
    }

    private static long mostFor(int millis, long before) throws InterruptedException {
        long most = 0;
        for (int i = 0; i < millis / 5; i++) {
            Thread.sleep(5);
            most = Math.max(most, directBytes() - before);
        }
        return most;
    }

    private static long directBytes() {
        return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }
}
