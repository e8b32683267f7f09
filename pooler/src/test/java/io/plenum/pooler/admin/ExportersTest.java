package io.plenum.pooler.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The programs that watch PgBouncer find every column that they read, as a number where they take one. */
class ExportersTest {
    @Test
    void everyColumnThatAProgramReadsIsThere() throws IOException {
        assertThat(lines()).hasSizeGreaterThan(20).allSatisfy(line -> {
            List<String> words = Arrays.asList(line.split(" "));
            ShowTable table = ShowTables.find(words.get(1));
            assertThat(table).as(line).isNotNull();
            for (String word : words.subList(2, words.size())) {
                String name = word.replace("=", "");
                assertThat(table.columns())
                        .as(words.getFirst() + " reads " + word + " of " + table.word())
                        .anySatisfy(column -> {
                            assertThat(column.name()).isEqualTo(name);
                            assertThat(column.type() != ColumnType.TEXT || !word.endsWith("="))
                                    .isTrue();
                        });
            }
        });
    }

    /** What a program reads: by table its columns, with an equals sign behind those that it takes for numbers. */
    static Map<String, List<String>> columns(String program) throws IOException {
        Map<String, List<String>> columns = new HashMap<>();
        for (String line : lines()) {
            List<String> words = Arrays.asList(line.split(" "));
            if (words.getFirst().equals(program)) {
                columns.put(words.get(1), words.subList(2, words.size()));
            }
        }
        assertThat(columns).as(program).isNotEmpty();
        return columns;
    }

    private static List<String> lines() throws IOException {
        try (InputStream in = ExportersTest.class.getResourceAsStream("exporters-columns.txt")) {
            assertThat(in).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .toList();
        }
    }
}
