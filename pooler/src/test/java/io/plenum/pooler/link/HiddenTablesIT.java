package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.describeStatement;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A statement whose text all clients share, and temporary tables that hide from one of them what it means to others. */
@ExtendWith(LeakWatch.class)
class HiddenTablesIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    private int prepared;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ON COMMIT DROP | COMMIT",
                "| ROLLBACK",
                "ON COMMIT DROP | ROLLBACK",
                "| DROP TABLE pg_temp.hidden; COMMIT",
                "| COMMIT; DISCARD TEMP"
            })
    void preparedTextMeansTheTablesOfWhoPreparesIt(String option, String end) throws Exception {
        try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP TABLE IF EXISTS hidden; CREATE TABLE hidden (q text)");
            control.rows("INSERT INTO hidden VALUES ('permanent')");
        }
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var reader = pooler.wire();
                var keeper = pooler.wire();
                var other = pooler.wire()) {
            reader.rows("BEGIN; CREATE TEMP TABLE makes_the_schema (i int); ROLLBACK");
            assertThat(select(reader)).isEqualTo("permanent");

            for (String columns : List.of("q text", "q text, r int", "r int", "q text")) {
                String values = columns.replace("q text", "'temporary'").replace("r int", "1");
                keeper.rows("BEGIN; CREATE TEMP TABLE hidden (" + columns + ") " + Objects.toString(option, ""));
                keeper.rows("INSERT INTO hidden VALUES (" + values + ")");
                assertThat(select(keeper)).isEqualTo(values.replace("'", "").replace(" ", ""));
                keeper.rows(end);

                assertThat(select(reader)).isEqualTo("permanent");
                assertThat(select(other)).isEqualTo("permanent");
                assertThat(again(reader)).isEqualTo("permanent");
            }
        }
    }

    /** What a client sees that prepares the text under a new name, describes and runs it, each by itself. */
    private String select(WireClient client) throws IOException {
        prepared++;
        client.send(parse("s" + prepared, "SELECT * FROM hidden"), sync());
        String answers = answers(client);
        client.send(describeStatement("s" + prepared), sync());
        answers += answers(client);
        client.send(bind("", "s" + prepared), execute(), sync());
        return answers + answers(client);
    }

    private String again(WireClient client) throws IOException {
        client.send(bind("", "s1"), execute(), sync());
        return answers(client);
    }

    private static String answers(WireClient client) throws IOException {
        return client.readUntilReady().stream()
                .map(message -> switch (message.type()) {
                    case 'D' -> String.join(",", message.columns());
                    case 'E' -> message.field('M');
                    default -> "";
                })
                .collect(Collectors.joining());
    }
}
