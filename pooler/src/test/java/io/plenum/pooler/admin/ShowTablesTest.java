package io.plenum.pooler.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ShowTablesTest {
    @Test
    void everyTableOfPgbouncerHasItsColumnsAndTypes() throws IOException {
        Map<String, String> theirs = pgbouncersColumns();
        Map<String, String> ours = ShowTables.all().stream()
                .filter(table -> theirs.containsKey(table.word()))
                .collect(Collectors.toMap(ShowTable::word, ShowTablesTest::columns, (a, b) -> a, LinkedHashMap::new));

        assertThat(ours).containsExactlyInAnyOrderEntriesOf(theirs);
    }

    @Test
    void ownTablesAreMarkedSo() throws IOException {
        assertThat(ShowTables.all().stream().filter(ShowTable::own).map(ShowTable::word))
                .containsExactlyInAnyOrder("BALANCE", "FDS", "NODES", "PINS", "PREPARED_STATEMENTS", "ROUTES")
                .noneMatch(pgbouncersColumns()::containsKey);
    }

    @Test
    void wordsAreUnique() {
        assertThat(ShowTables.all()).extracting(ShowTable::word).doesNotHaveDuplicates();
    }

    private static String columns(ShowTable table) {
        return table.columns().stream()
                .map(column -> column.name() + " " + column.type().sqlName())
                .collect(Collectors.joining(", "));
    }

    /** What PgBouncer 1.26.1 says in RowDescription, by the word of the table. */
    private static Map<String, String> pgbouncersColumns() throws IOException {
        try (InputStream in = ShowTablesTest.class.getResourceAsStream("pgbouncer-1.26.1-columns.txt")) {
            assertThat(in).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> line.split(": ", 2))
                    .collect(Collectors.toMap(line -> line[0], line -> line[1]));
        }
    }
}
