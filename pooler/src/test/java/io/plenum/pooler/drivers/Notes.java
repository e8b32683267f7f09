package io.plenum.pooler.drivers;

import java.sql.BatchUpdateException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a scenario saw, line by line. */
final class Notes {
    private final List<String> lines = new ArrayList<>();

    /** Something that may go wrong. */
    @FunctionalInterface
    interface Attempt {
        void run() throws Exception;
    }

    void add(@Nullable Object seen) {
        lines.add(text(seen));
    }

    void add(String what, @Nullable Object seen) {
        lines.add(what + ": " + text(seen));
    }

    /** Notes names, types and values of all columns, and closes the rows. */
    void rows(ResultSet rows) throws SQLException {
        try (rows) {
            var data = rows.getMetaData();
            var names = new ArrayList<String>();
            for (int i = 1; i <= data.getColumnCount(); i++) {
                names.add(data.getColumnLabel(i) + " " + data.getColumnTypeName(i));
            }
            lines.add(names.toString());
            while (rows.next()) {
                var values = new ArrayList<String>();
                for (int i = 1; i <= data.getColumnCount(); i++) {
                    values.add(text(rows.getObject(i)));
                }
                lines.add(values.toString());
            }
        }
    }

    /** The same of rows that come in no order. */
    void unordered(ResultSet rows) throws SQLException {
        int first = lines.size() + 1; // behind the names
        rows(rows);
        Collections.sort(lines.subList(first, lines.size()));
    }

    void query(Statement statement, String sql) throws SQLException {
        rows(statement.executeQuery(sql));
    }

    /** Notes how an attempt failed; one that succeeds is noted too, so that both ways must agree in that. */
    void failure(Attempt attempt) {
        try {
            attempt.run();
            lines.add("no failure");
        } catch (BatchUpdateException failed) {
            lines.add(described(failed) + " " + Arrays.toString(failed.getUpdateCounts()));
        } catch (SQLException failed) {
            lines.add(described(failed));
        } catch (Exception failed) {
            lines.add(failed.toString());
        }
    }

    List<String> lines() {
        return lines;
    }

    private static String described(SQLException failed) {
        return failed.getClass().getSimpleName() + " " + failed.getSQLState() + " " + failed.getMessage();
    }

    /** What it looks like, of arrays their elements. */
    static String text(@Nullable Object seen) {
        return switch (seen) {
            case null -> "null";
            case byte[] bytes -> Arrays.toString(bytes);
            case int[] numbers -> Arrays.toString(numbers);
            case long[] numbers -> Arrays.toString(numbers);
            case Object[] objects -> Arrays.deepToString(objects);
            case java.sql.Array array -> {
                try {
                    yield array.getBaseTypeName() + Arrays.deepToString((Object[]) array.getArray());
                } catch (SQLException failed) {
                    yield described(failed);
                }
            }
            case SQLXML xml -> {
                try {
                    yield xml.getString();
                } catch (SQLException failed) {
                    yield described(failed);
                }
            }
            default -> seen.toString();
        };
    }
}
