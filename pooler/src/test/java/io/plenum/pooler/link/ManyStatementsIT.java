package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.closeStatement;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever prepares without end finds a bound, on servers and in the pooler. {@code -Dstatements=100000} prepares more. */
@ExtendWith(LeakWatch.class)
class ManyStatementsIT {
    private static final int TEXTS = Integer.getInteger("statements", 20_000);
    private static final int IN_A_GROUP = 500;
    private static final int LARGE = 8 * 1024 * 1024;

    @Test
    void manyTextsAreAllThereAndFewOfThemOnTheServer() throws Exception {
        try (var pooler = RunningPooler.start(
                        RunningPooler.sharedServer(), "default_pool_size = 1", "max_prepared_statements = 50");
                var client = pooler.wire()) {
            client.timeout(Duration.ofSeconds(30));
            for (int from = 0; from < TEXTS; from += IN_A_GROUP) {
                byte[][] group = new byte[IN_A_GROUP + 1][];
                for (int i = 0; i < IN_A_GROUP; i++) {
                    group[i] = parse("s" + (from + i), "SELECT " + (from + i));
                }
                group[IN_A_GROUP] = sync();
                client.send(group);
                assertThat(client.readUntilReady()).hasSize(IN_A_GROUP + 1);
            }

            client.send(parse("last", "SELECT 'last'"), sync()); // the server has had to keep those of one group
            client.readUntilReady();
            assertThat(Integer.parseInt(client.value("SELECT count(*) FROM pg_prepared_statements")))
                    .isBetween(1, 50);
            for (int some : new int[] {0, TEXTS / 3, TEXTS - 1}) {
                client.send(bind("", "s" + some), execute(), sync());
                assertThat(Message.value(client.readUntilReady())).isEqualTo(Integer.toString(some));
            }
        }
    }

    @Test
    void moreTextThanIsKeptForOneClientEndsIt() throws Exception {
        try (var pooler = RunningPooler.start(RunningPooler.sharedServer(), "default_pool_size = 1");
                var client = pooler.wire();
                var other = pooler.wire()) {
            client.timeout(Duration.ofSeconds(30));
            int room = ClientStatements.MOST_BYTES / LARGE - 1; // beside the texts something is kept
            for (int i = 0; i < room; i++) {
                prepareLarge(client, i);
                assertThat(client.readUntilReady()).extracting(Message::type).containsExactly('1', 'Z');
            }
            client.send(closeStatement("s0"), sync());
            client.readUntilReady();
            prepareLarge(client, room); // where that one was
            assertThat(client.readUntilReady()).extracting(Message::type).containsExactly('1', 'Z');

            prepareLarge(client, room + 1);

            var end = client.read();
            assertThat(end.field('V')).isEqualTo("FATAL");
            assertThat(end.field('C')).isEqualTo("54000");
            assertThat(other.value("SELECT 'served'")).isEqualTo("served");
        }
    }

    private static void prepareLarge(WireClient client, int number) throws IOException {
        client.send(parse("s" + number, "SELECT " + number + " --" + "x".repeat(LARGE)), sync());
    }
}
