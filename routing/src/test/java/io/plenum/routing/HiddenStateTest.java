package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HiddenStateTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        DO $$BEGIN PERFORM setseed(0.5); END$$          | true
        DO $$BEGIN EXECUTE 'PREPARE p AS SELECT 1'; END$$ | true
        SELECT run('Prepare p AS SELECT 1')             | true
        DO $$BEGIN PERFORM pg_catalog.SetSeed(1); END$$ | true
        DO $$BEGIN DEALLOCATE ALL; END$$                | true
        DO $$BEGIN PERFORM random(); END$$              | false
        SELECT repair(1), setsee                        | false
        prepar                                          | false
        prepare                                         | true
        """)
    void codeIsToldByItsLetters(String code, boolean isIn) {
        byte[] bytes = code.getBytes(StandardCharsets.UTF_8);
        assertThat(HiddenState.isIn(Unpooled.wrappedBuffer(bytes), 0, bytes.length))
                .isEqualTo(isIn);
    }

    @Test
    void onlyWhatStandsBetweenTheBoundsCounts() {
        byte[] bytes = "prepare setseed".getBytes(StandardCharsets.UTF_8);
        assertThat(HiddenState.isIn(Unpooled.wrappedBuffer(bytes), 1, bytes.length - 1))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        plpgsql | BEGIN RETURN 1; END                            | false
        plpgsql | BEGIN EXECUTE 'PREPARE p AS SELECT 1'; END     | true
        sql     | SELECT setseed(0.1)                            | true
        sql     | SELECT 1                                       | false
        c       |                                                | false
        plperl  |                                                | true
        plpgsql |                                                | true
        """)
    void catalogueKnowsWhetherAFunctionOfTheDatabaseMay(String language, String body, boolean mayHide) {
        var builder = new CatalogBuilder();
        builder.function(20_000, "f", false, false, 'v', language, body);
        assertThat(builder.build().mayHide()).isEqualTo(mayHide);
    }

    @Test
    void whatIsNotKnownMay() {
        assertThat(Catalog.OFF.mayHide()).isTrue();
        assertThat(Catalog.AWAITED.mayHide()).isTrue();
        assertThat(new CatalogBuilder().build().mayHide()).isFalse();
        assertThat(new CatalogBuilder().build().outdated().mayHide()).isTrue();
    }
}
