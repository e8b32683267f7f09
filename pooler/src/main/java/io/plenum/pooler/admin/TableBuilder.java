package io.plenum.pooler.admin;

import io.plenum.pooler.admin.ShowTable.Column;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.admin.Verb.Right;
import io.plenum.pooler.metrics.Census.Depth;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/** Declares a table of SHOW: its columns in their order, then how its rows are made. */
final class TableBuilder {
    private final String word;
    private final String about;
    private final boolean own;
    private final Right right;
    private final Depth depth;
    private final List<Column> columns = new ArrayList<>();

    private TableBuilder(String word, String about, boolean own, Right right, Depth depth) {
        this.word = word;
        this.about = about;
        this.own = own;
        this.right = right;
        this.depth = depth;
    }

    /** Whoever may look at the console sees it. */
    static TableBuilder table(String word, String about, Depth depth) {
        return new TableBuilder(word, about, false, Right.READ, depth);
    }

    /** PgBouncer has none such. */
    static TableBuilder own(String word, String about, Depth depth) {
        return new TableBuilder(word, about, true, Right.READ, depth);
    }

    /** Nor such, and it is for {@code admin_users} alone. */
    static TableBuilder restricted(String word, String about, Depth depth) {
        return new TableBuilder(word, about, true, Right.ADMIN, depth);
    }

    TableBuilder column(String name, ColumnType type) {
        return column(name, type, "");
    }

    TableBuilder column(String name, ColumnType type, String about) {
        columns.add(new Column(name, type, about));
        return this;
    }

    ShowTable rows(Function<View, Stream<Row>> rows) {
        return new ShowTable(word, about, own, right, depth, List.copyOf(columns), rows);
    }
}
