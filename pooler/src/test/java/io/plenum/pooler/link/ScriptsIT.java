package io.plenum.pooler.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Segments;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The scripts of {@code scripts/*.pgs} get the same bytes through the pooler as without it.
 *
 * <p>Each is played in whole writes with another server for each transaction; a third of them, another one each day, also
 * in all segmentations and on one server that strangers use in between. {@code -Dscripts=full} does that with all, {@code
 * -Dscripts.only=text} plays those whose name contains the text, and all of it.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ScriptsIT {
    /** Scripts that the pooler answers otherwise today; above each stands why. */
    private static final String DIFFERS = "differs.pgs";

    private static final boolean FULL = System.getProperty("scripts", "").equals("full");
    private static final String ONLY = System.getProperty("scripts.only", "");

    /** Messages around the first difference that a failure tells. */
    private static final int SHOWN = 8;

    private static final String RELATIONS = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
            + " WHERE relnamespace = 'public'::regnamespace";

    private final int third = Math.floorMod(LocalDate.now(ZoneOffset.UTC).toEpochDay(), 3);
    private final PostgresServer server = server();
    private final Map<PgsScript, List<String>> direct = new HashMap<>();
    private WireClient control;
    private String relations = "";
    private int left; // process number of the client that played last
    private @Nullable Stage one;
    private @Nullable Stage two;

    PostgresServer server() {
        return RunningPooler.sharedServer();
    }

    /** Whether this script's turn has come for all segmentations. */
    boolean isForAllSegments(PgsScript script) {
        return FULL || !ONLY.isEmpty() || Math.floorMod(script.name().hashCode(), 3) == third;
    }

    @BeforeAll
    void start() throws Exception {
        control = RunningPooler.wire(server.port(), Map.of("lock_timeout", "5s"), null);
        control.rows("DROP TABLE IF EXISTS work, seen; DROP SEQUENCE IF EXISTS counter");
        control.rows("CREATE TABLE work (id int PRIMARY KEY, v text)");
        control.rows("CREATE TABLE seen AS SELECT g AS id, 'v' || g AS v FROM generate_series(1, 50) g");
        control.rows("CREATE SEQUENCE counter; GRANT ALL ON work, seen, counter TO app");
        control.rows("CREATE OR REPLACE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS"
                + " $$BEGIN RAISE NOTICE 'heard %', $1; RETURN upper($1); END$$");
        relations = control.value(RELATIONS);
    }

    @AfterAll
    void stop() throws Exception {
        leave(true);
        leave(false);
        control.rows("DROP SEQUENCE counter");
        control.close();
    }

    @TestFactory
    Stream<DynamicNode> sameBytes() throws Exception {
        return files().stream()
                .map(file -> dynamicContainer(
                        String.valueOf(file.getFileName()),
                        scripts(file).stream()
                                .filter(script -> !mayDiffer(file, script))
                                .flatMap(script -> variants(script).stream())));
    }

    @TestFactory
    Stream<DynamicNode> stillDiffers() throws Exception {
        return files().stream()
                .flatMap(file -> scripts(file).stream().filter(script -> mayDiffer(file, script)))
                .map(script -> dynamicTest(script.name(), () -> {
                    assertThat(script.reason()).as("why it differs").isNotEmpty();
                    List<String> expected = expected(script);
                    List<String> pooled = pooled(script, two(), Segments.WHOLE, true);
                    leave(false);
                    assertThat(pooled)
                            .as("%s differs no more: move it to the scripts of its theme", script.place())
                            .isNotEqualTo(expected);
                }));
    }

    @Test
    void hasNotLostScripts() throws Exception {
        assertThat(files().stream().mapToInt(file -> scripts(file).size()).sum())
                .isGreaterThanOrEqualTo(ONLY.isEmpty() ? 640 : 0);
    }

    private boolean mayDiffer(Path file, PgsScript script) {
        return file.endsWith(DIFFERS) && script.since() <= server.majorVersion();
    }

    private List<DynamicNode> variants(PgsScript script) {
        List<DynamicNode> tests = new ArrayList<>();
        tests.add(variant(script, false, Segments.WHOLE));
        if (isForAllSegments(script)) {
            tests.add(variant(script, true, Segments.WHOLE));
            for (Segments segments : List.of(Segments.BYTES, Segments.RANDOM)) {
                tests.add(variant(script, true, segments));
                tests.add(variant(script, false, segments));
            }
        }
        return tests;
    }

    private DynamicNode variant(PgsScript script, boolean isAlone, Segments segments) {
        String where = isAlone ? "one server" : "another server each time";
        return dynamicTest(script.name() + ", " + where + ", " + segments, () -> {
            List<String> expected = expected(script);
            List<String> pooled = pooled(script, isAlone ? one() : two(), segments, false);
            if (!pooled.equals(expected)) {
                leave(isAlone);
            }
            assertThat(pooled)
                    .overridingErrorMessage(() -> told(script, expected, pooled))
                    .isEqualTo(expected);
        });
    }

    private List<String> expected(PgsScript script) throws IOException {
        List<String> known = direct.get(script);
        if (known != null) {
            return known;
        }
        clean();
        List<String> transcript = play(script, server.port(), Segments.WHOLE, () -> {}, Duration.ofSeconds(10));
        await("SELECT count(*) FROM pg_stat_activity WHERE pid = " + left);
        assertThat(transcript)
                .as("what comes without the pooler; does %s wait for what it should?", script.place())
                .noneMatch(line -> line.startsWith("!!"));
        assertThat(control.value(RELATIONS))
                .as("what %s leaves", script.place())
                .isEqualTo(relations);
        direct.put(script, transcript);
        return transcript;
    }

    private List<String> pooled(PgsScript script, Stage stage, Segments segments, boolean isHopeless)
            throws IOException {
        clean();
        return play(script, stage.pooler.port(), segments, stage, Duration.ofSeconds(isHopeless ? 3 : 10));
    }

    private List<String> play(PgsScript script, int port, Segments segments, Strangers strangers, Duration patience)
            throws IOException {
        try (var client = RunningPooler.wire(port, script.login(), null)) {
            client.timeout(patience);
            var player = new ScriptPlayer(client, segments, strangers);
            try {
                script.play(player, new Others(port));
            } catch (IOException stuck) {
                player.transcript().add("!! " + stuck);
            }
            left = client.processId();
            return player.transcript();
        }
    }

    /** Those that a script has say something besides its own client. */
    private final class Others implements PgsScript.Others {
        private final int port;

        Others(int port) {
            this.port = port;
        }

        @Override
        public void meanwhile(String sql) throws IOException {
            control.rows(sql);
        }

        @Override
        public void stranger(String sql) throws IOException {
            try (var stranger = RunningPooler.wire(port, Map.of(), null)) {
                stranger.query(sql);
            }
        }
    }

    /** The state in which every script begins. */
    private void clean() throws IOException {
        await("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
        for (var prepared : control.rows("SELECT gid FROM pg_prepared_xacts WHERE database = 'app'")) {
            control.rows("ROLLBACK PREPARED '" + prepared.getFirst() + "'");
        }
        if (!control.value("SELECT pg_relation_size('work')").equals("0")) {
            control.rows("TRUNCATE work"); // has its price, and most scripts do not write
        }
        control.rows("SELECT setval('counter', 1, false); SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
    }

    private void await(String countOfWhatGoesAway) throws IOException {
        long deadline = System.nanoTime() + Duration.ofSeconds(2).toNanos();
        while (!control.value(countOfWhatGoesAway).equals("0") && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    private Stage one() throws IOException {
        if (one == null) {
            one = new Stage(true);
        }
        return Objects.requireNonNull(one);
    }

    private Stage two() throws IOException {
        if (two == null) {
            two = new Stage(false);
        }
        return Objects.requireNonNull(two);
    }

    /** Ends one stage; the next script gets a new one. After a difference nobody knows in which state its servers are. */
    private void leave(boolean isAlone) throws IOException {
        Stage stage = isAlone ? one : two;
        if (isAlone) {
            one = null;
        } else {
            two = null;
        }
        if (stage != null) {
            stage.close();
        }
    }

    /** A pooler with one server that strangers use in between, or with two that they swap. */
    private final class Stage implements Strangers, AutoCloseable {
        private final RunningPooler pooler;
        private final @Nullable PoolView view;
        private final @Nullable Passers passers;
        private final @Nullable Swappers swappers;

        Stage(boolean isAlone) throws IOException {
            pooler = RunningPooler.start(
                    server,
                    "default_pool_size = " + (isAlone ? 1 : 2),
                    "max_prepared_statements = " + (isAlone ? 200 : 2),
                    PoolView.ALLOWED);
            view = isAlone ? new PoolView(pooler) : null;
            passers = isAlone ? new Passers(pooler) : null;
            swappers = isAlone ? null : new Swappers(pooler);
        }

        @Override
        public void meanwhile() throws IOException {
            if (swappers != null) {
                swappers.meanwhile();
            } else if (view != null && passers != null && view.serversAtWork() == 0) { // else the script keeps the one
                passers.meanwhile();
            }
        }

        @Override
        public void close() throws IOException {
            if (swappers != null) {
                swappers.close();
            }
            if (view != null && passers != null) {
                view.close();
                passers.close();
            }
            pooler.close();
        }
    }

    private static String told(PgsScript script, List<String> direct, List<String> pooled) {
        int alike = 0;
        while (alike < Math.min(direct.size(), pooled.size())
                && direct.get(alike).equals(pooled.get(alike))) {
            alike++;
        }
        var text = new StringBuilder(script.place()).append(", alike:\n");
        tell(text, direct.subList(Math.max(0, alike - SHOWN), alike));
        tell(text.append("then, from the server:\n"), direct.subList(alike, direct.size()));
        tell(text.append("and through the pooler:\n"), pooled.subList(alike, pooled.size()));
        return text.toString();
    }

    private static void tell(StringBuilder text, List<String> lines) {
        for (String line : lines.subList(0, Math.min(SHOWN, lines.size()))) {
            text.append("  ").append(line, 0, Math.min(300, line.length())).append('\n');
        }
    }

    private static List<PgsScript> scripts(Path file) {
        try {
            return PgsReader.read(String.valueOf(file.getFileName()), Files.readString(file)).stream()
                    .filter(script -> script.name().contains(ONLY))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> files() throws IOException, URISyntaxException {
        URL directory = Objects.requireNonNull(ScriptsIT.class.getResource("scripts"), "scripts");
        try (var files = Files.list(Path.of(directory.toURI()))) {
            return files.filter(file -> file.toString().endsWith(".pgs"))
                    .sorted()
                    .toList();
        }
    }
}
