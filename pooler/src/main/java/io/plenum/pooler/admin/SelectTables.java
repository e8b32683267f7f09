package io.plenum.pooler.admin;

import io.plenum.pooler.admin.ShowTable.Column;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.metrics.Census.Depth;
import io.plenum.wire.AsciiCase;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The answers to what pools, monitors and graphical tools ask every server with SELECT. */
final class SelectTables {
    private static final Map<String, ShowTable> ALL = Map.of(
            "1", table("?column?", ColumnType.INT4, view -> 1),
            "version()",
                    table(
                            "version",
                            ColumnType.TEXT,
                            view -> Console.title(view.standing().version())),
            "current_database()", table("current_database", ColumnType.TEXT, view -> ShowTables.CONSOLE),
            "current_schema()", table("current_schema", ColumnType.TEXT, view -> "public"),
            "current_schema", table("current_schema", ColumnType.TEXT, view -> "public"));

    private SelectTables() {}

    private static ShowTable table(String column, ColumnType type, Function<View, Object> value) {
        return new ShowTable(
                column,
                "",
                true,
                Verb.Right.READ,
                Depth.SUMS,
                List.of(new Column(column, type, "")),
                view -> Stream.of(Row.of(value.apply(view))));
    }

    /** The answer to SELECT of that expression, or null. */
    static @Nullable ShowTable find(String expression) {
        return ALL.get(AsciiCase.lower(expression));
    }
}
