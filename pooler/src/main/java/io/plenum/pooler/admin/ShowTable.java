package io.plenum.pooler.admin;

import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.discovery.LookUps;
import io.plenum.pooler.metrics.Census;
import io.plenum.pooler.metrics.History;
import io.plenum.pooler.peer.Peer;
import io.plenum.pooler.peer.PeerFacts;
import io.plenum.pooler.server.PreparedStatement;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One table that SHOW shows: declared once, for the answer, the manual page and the tests. Immutable.
 *
 * @param word what stands behind SHOW, in capitals
 * @param about a sentence for the manual page
 * @param own not PgBouncer's, so free to change
 * @param right who may see it
 * @param depth what must be gathered for it
 * @param rows makes the rows, whose values are in the order of the columns
 */
record ShowTable(
        String word,
        String about,
        boolean own,
        Verb.Right right,
        Census.Depth depth,
        List<Column> columns,
        Function<View, Stream<Row>> rows) {

    /** One column; {@code about} may be empty where PgBouncer's manual explains it. */
    record Column(String name, ColumnType type, String about) {}

    /** The values of one row: text for {@link ColumnType#TEXT}, else numbers; null is SQL's NULL. */
    record Row(List<@Nullable Object> values) {
        static Row of(@Nullable Object... values) {
            return new Row(Arrays.asList(values));
        }
    }

    /** All that a table may be made from. */
    record View(Census census, PoolerConfig config, History history, Standing standing) {}

    /**
     * What no loop knows.
     *
     * @param version of Plenum
     * @param allPaused PAUSE without a database is in force
     * @param suspended SUSPEND is
     * @param paused whether PAUSE or KILL is in force for a database by name
     * @param disabled whether DISABLE is
     * @param consoles sessions of the console
     * @param commands that the console was given since the start
     * @param consoleLogins since the start
     * @param peers that cancel requests can be passed on to
     * @param peerPools those that some were passed on to
     * @param lookUps what DNS has said
     * @param statements that were prepared, the latest use last
     */
    record Standing(
            String version,
            boolean allPaused,
            boolean suspended,
            Predicate<String> paused,
            Predicate<String> disabled,
            int consoles,
            long commands,
            long consoleLogins,
            List<Peer> peers,
            List<PeerFacts> peerPools,
            LookUps lookUps,
            Supplier<List<PreparedStatement>> statements) {}
}
