package io.plenum.pooler.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Segments;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Conversations that nobody thought of get the same bytes through the pooler as without it.
 *
 * <p>Each is made from its seed. A difference is told with the seed and with the smallest conversation that still shows it.
 * {@code -Dconversations=50000} plays more, {@code -Dconversations.seed=17} begins at another seed, {@code
 * -Dconversations.differences=40} goes on up to so many, {@code -Dconversations.jumbles=true} makes a third of them
 * mix what no driver mixes.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GeneratedConversationsIT {
    private static final int COUNT = Integer.getInteger("conversations", 1_000);
    private static final long FIRST_SEED = Long.getLong("conversations.seed", 1);
    /** Conversations before the one that shows a difference, each of which may be its cause. */
    private static final int MOST_BEFORE = 12;

    private static final int MOST_DIFFERENCES = Integer.getInteger("conversations.differences", 3);

    private static final String CLEAN =
            "TRUNCATE work; ALTER SEQUENCE counter RESTART; ALTER SEQUENCE untouched RESTART";

    private final PostgresServer server = server();
    private WireClient control;
    private int[] functions = {};
    private int unforeseen;

    PostgresServer server() {
        return RunningPooler.sharedServer();
    }

    /** How many conversations are played. */
    int count() {
        return COUNT;
    }

    @BeforeAll
    void start() throws Exception {
        control = RunningPooler.wire(server.port(), Map.of("lock_timeout", "5s"), null);
        control.rows("DROP TABLE IF EXISTS work, seen");
        control.rows("CREATE TABLE work (id int PRIMARY KEY, v text)");
        control.rows("CREATE TABLE seen AS SELECT g AS id, 'v' || g AS v FROM generate_series(1, 12) g");
        control.rows("DROP SEQUENCE IF EXISTS counter, untouched");
        control.rows("CREATE SEQUENCE counter; CREATE SEQUENCE untouched");
        control.rows("GRANT ALL ON work, seen, counter, untouched TO app");
        control.rows("CREATE OR REPLACE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS"
                + " $$BEGIN RAISE NOTICE 'heard %', $1; RETURN upper($1); END$$");
    }

    @AfterAll
    void stop() throws Exception {
        control.close();
    }

    /** A pooler and the strangers in it. */
    private final class Stage implements AutoCloseable {
        private final RunningPooler pooler =
                RunningPooler.start(server, "default_pool_size = 2", "max_prepared_statements = 4", PoolView.ALLOWED);
        private final Crowd crowd = new Crowd(pooler);

        Stage() throws IOException {}

        /** How the pooler's answers differ from the server's; null when they do not. */
        @Nullable
        Difference difference(long seed, List<List<Utterance>> conversation) throws IOException {
            control.rows(CLEAN);
            List<String> direct = ConversationPlayer.play(server.port(), conversation, Segments.WHOLE, () -> {});
            if (direct.stream().anyMatch(line -> line.startsWith("!!"))) {
                unforeseen++; // the server itself lost the thread: two broken COPY in one write, say
                return null;
            }
            List<String> pooled = play(seed, conversation);
            var difference = new Difference(conversation, comparable(direct), comparable(pooled));
            return difference.isNone() || difference.isAllowed() ? null : difference;
        }

        List<String> play(long seed, List<List<Utterance>> conversation) throws IOException {
            control.rows(CLEAN);
            crowd.gather(seed);
            Segments segments = seed % 4 == 0 ? Segments.RANDOM : Segments.WHOLE;
            return ConversationPlayer.play(pooler.port(), conversation, segments, crowd);
        }

        @Override
        public void close() throws IOException {
            crowd.close();
            pooler.close();
        }
    }

    @Test
    void sameBytes() throws Exception {
        functions = new int[] {number("upper(text)"), number("shout(text)"), number("pg_size_bytes(text)")};
        List<String> differences = new ArrayList<>();
        int count = count();
        long swaps = 0;
        long seed = FIRST_SEED;
        while (seed < FIRST_SEED + count && differences.size() < MOST_DIFFERENCES) {
            // A difference can leave the servers in a state of which the pooler does not know: then all is new.
            Difference found = null;
            try (var stage = new Stage()) {
                while (seed < FIRST_SEED + count && found == null) {
                    found = stage.difference(seed, new ConversationWriter(seed, functions).conversation());
                    seed++;
                }
                swaps += stage.crowd.swaps();
            }
            if (found != null) { // the stage is struck: what hangs there holds its locks no more
                differences.add(told(seed - 1, found));
                System.out.println(differences.getLast());
            }
        }
        System.out.printf(
                "conversations: sequences=%d differences=%d unforeseen=%d first_seed=%d postgres=%d%n",
                seed - FIRST_SEED, differences.size(), unforeseen, FIRST_SEED, server.majorVersion());
        assertThat(unforeseen)
                .as("conversations of which nobody knows what the server owes")
                .isLessThanOrEqualTo(count / 500);
        assertThat(differences).isEmpty();
        if (count > 1) { // one alone may never come to a place where they can
            assertThat(swaps).as("the servers did change").isGreaterThan(count);
        }
    }

    private String told(long seed, Difference found) throws IOException {
        String name = "-Dconversations.seed=" + seed + "\n";
        Difference alone = behind(List.of(), seed, found.conversation());
        if (alone != null) {
            return name + Shrinker.smallest(alone, smaller -> behind(List.of(), seed, smaller));
        }
        for (long before = seed - 1; before >= Math.max(FIRST_SEED, seed - MOST_BEFORE); before--) {
            List<List<Utterance>> other = new ConversationWriter(before, functions).conversation();
            Difference behind = behind(other, seed, found.conversation());
            if (behind != null) {
                Difference seen = Shrinker.smallest(behind, smaller -> behind(other, seed, smaller));
                Difference left = Shrinker.smallest(seen.of(other), smaller -> {
                    Difference still = behind(smaller, seed, seen.conversation());
                    return still == null ? null : still.of(smaller);
                });
                return name + "behind a client that is gone:\n" + left.words() + seen;
            }
        }
        return name + "not when played alone: those before it play a part\n" + found;
    }

    /** Plays a conversation on a stage of its own, behind that of another client. */
    private @Nullable Difference behind(List<List<Utterance>> other, long seed, List<List<Utterance>> conversation)
            throws IOException {
        try (var stage = new Stage()) {
            if (!other.isEmpty()) {
                stage.play(seed, other);
            }
            return stage.difference(seed, conversation);
        }
    }

    private static List<String> comparable(List<String> transcript) {
        int end = transcript.indexOf(ConversationPlayer.BROKEN);
        if (end < 0) {
            return transcript;
        }
        List<String> alike = new ArrayList<>(transcript.subList(0, end));
        if (transcript.getLast().equals(ConversationPlayer.SILENCE)) { // it must not hang there either
            alike.add(ConversationPlayer.SILENCE);
        }
        return alike;
    }

    private int number(String function) throws IOException {
        return Integer.parseInt(control.value("SELECT '" + function + "'::regprocedure::oid"));
    }
}
