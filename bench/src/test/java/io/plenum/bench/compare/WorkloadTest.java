package io.plenum.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.routing.Catalog;
import io.plenum.routing.CatalogBuilder;
import io.plenum.routing.StatementClassifier;
import io.plenum.routing.Traits;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class WorkloadTest {
    private final StatementClassifier classifier = new StatementClassifier();

    @Test
    void scrubbedRunsWhatTheCatalogueCannotProveHarmless() {
        Catalog catalog = with(Workload.UNREADABLE);

        assertThat(Workload.SETUP)
                .anySatisfy(sql -> assertThat(sql)
                        .startsWith("CREATE FUNCTION bench_balance")
                        .contains(Workload.UNREADABLE));
        assertThat(traitsOfScrubbed(catalog) & Traits.RUNS_UNKNOWN_CODE).isNotZero();
        assertThat(catalog.mayHide()).isFalse(); // the cheaper of both scrubs is what is measured
    }

    @Test
    void aFunctionOfPlainSqlWouldMeasureNothing() {
        Catalog catalog = with("BEGIN RETURN (SELECT abalance FROM pgbench_accounts WHERE aid = key); END");

        assertThat(traitsOfScrubbed(catalog)).isZero();
    }

    private static Catalog with(String body) {
        var builder = new CatalogBuilder();
        builder.function(20_000, "bench_balance", false, false, 's', "plpgsql", body);
        return builder.build();
    }

    private int traitsOfScrubbed(Catalog catalog) {
        String call = Workload.SCRUBBED.script().lines().reduce("", (first, second) -> second);
        ByteBuf sql = Unpooled.copiedBuffer(call.replace(":aid", "$1"), StandardCharsets.UTF_8);
        classifier.classify(sql, 0, sql.readableBytes(), true, catalog);
        return classifier.traits();
    }
}
