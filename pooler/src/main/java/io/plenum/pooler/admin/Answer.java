package io.plenum.pooler.admin;

import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.wire.error.ErrorResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a command came to. Immutable. */
sealed interface Answer {
    /** A table. */
    record Rows(ShowTable table, List<Row> rows) implements Answer {
        public Rows {
            rows = List.copyOf(rows);
        }
    }

    /** It is done; perhaps with something to say besides. */
    record Done(String tag, @Nullable ErrorResponse notice) implements Answer {
        static Done of(Command command) {
            return new Done(command.verb().tag(), null);
        }
    }

    /** It is not. */
    record Refused(ErrorResponse error) implements Answer {}

    /** Nothing is said any more: the process ends. */
    record Silence() implements Answer {}
}
