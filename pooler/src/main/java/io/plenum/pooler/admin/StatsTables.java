package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.ColumnType.NUMERIC;
import static io.plenum.pooler.admin.ColumnType.TEXT;
import static io.plenum.pooler.metrics.Census.Depth.SUMS;

import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.metrics.Count;
import io.plenum.pooler.metrics.Totals;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The tables of SHOW with sums and averages. */
final class StatsTables {
    private StatsTables() {}

    static ShowTable stats() {
        TableBuilder table = TableBuilder.table(
                        "STATS",
                        "Sums since the start, and averages over the last `stats_period`; see TOTALS for units.",
                        SUMS)
                .column("database", TEXT);
        for (Count count : Count.values()) {
            table.column(count.totalColumn(), NUMERIC);
        }
        for (Count count : Count.values()) {
            table.column(count.averageColumn(), NUMERIC);
        }
        return table.rows(view -> totalsByDatabase(view).entrySet().stream().map(entry -> {
            List<@Nullable Object> values = new ArrayList<>();
            values.add(entry.getKey());
            add(values, entry.getValue());
            add(values, view.history().averages(entry.getKey()));
            return new Row(values);
        }));
    }

    static ShowTable statsTotals() {
        TableBuilder table =
                TableBuilder.table("STATS_TOTALS", "The sums of STATS.", SUMS).column("database", TEXT);
        for (Count count : Count.values()) {
            table.column(count.plainColumn(), NUMERIC);
        }
        return table.rows(view -> totalsByDatabase(view).entrySet().stream().map(entry -> {
            List<@Nullable Object> values = new ArrayList<>();
            values.add(entry.getKey());
            add(values, entry.getValue());
            return new Row(values);
        }));
    }

    static ShowTable statsAverages() {
        TableBuilder table = TableBuilder.table("STATS_AVERAGES", "The averages of STATS.", SUMS)
                .column("database", TEXT);
        for (Count count : Count.values()) {
            table.column(count.plainAverageColumn(), NUMERIC);
        }
        return table.rows(view -> totalsByDatabase(view).keySet().stream().map(database -> {
            List<@Nullable Object> values = new ArrayList<>();
            values.add(database);
            add(values, view.history().averages(database));
            return new Row(values);
        }));
    }

    static ShowTable totals() {
        return TableBuilder.table(
                        "TOTALS",
                        "Sums since the start and averages over the last `stats_period`, of all databases. Times are"
                                + " microseconds; averages are per second, but times per transaction, query or wait.",
                        SUMS)
                .column("name", TEXT)
                .column("value", NUMERIC)
                .rows(view -> {
                    Totals sum = totalsByDatabase(view).values().stream().reduce(Totals.ZERO, Totals::plus);
                    Totals averages = view.history().averages();
                    return Stream.concat(
                            Stream.of(Count.values()).map(count -> Row.of("total_" + count.sumName(), sum.get(count))),
                            Stream.of(Count.values())
                                    .map(count -> Row.of("avg_" + count.sumName(), averages.get(count))));
                });
    }

    private static Map<String, Totals> totalsByDatabase(View view) {
        Map<String, Totals> totals = new LinkedHashMap<>(view.census().totalsByDatabase());
        long commands = view.standing().commands();
        totals.put(
                ShowTables.CONSOLE,
                Totals.of(
                        0,
                        commands,
                        commands,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        view.standing().consoleLogins()));
        return totals;
    }

    private static void add(List<@Nullable Object> values, Totals totals) {
        for (Count count : Count.values()) {
            values.add(totals.get(count));
        }
    }
}
