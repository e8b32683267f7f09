package io.plenum.routing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The labelled statements of {@code corpus/statements.txt}. */
final class Corpus {
    /** A statement and the reason it must get. */
    record Labelled(Reason reason, String sql) {
        @Override
        public String toString() {
            return reason.label() + ": " + sql.replace('\n', '⏎').replace('\t', '→');
        }
    }

    private Corpus() {}

    static List<Labelled> statements() {
        List<Labelled> statements = new ArrayList<>();
        Reason reason = Reason.NOT_UNDERSTOOD;
        for (String line : text().split("\n", -1)) {
            if (line.startsWith("== ")) {
                reason = Reason.valueOf(line.substring(3).strip().toUpperCase(Locale.ROOT));
            } else if (!line.isEmpty() && !line.startsWith("# ")) {
                statements.add(new Labelled(reason, line.replace('⏎', '\n').replace('→', '\t')));
            }
        }
        return statements;
    }

    private static String text() {
        try (InputStream file = Corpus.class.getResourceAsStream("/corpus/statements.txt")) {
            if (file == null) {
                throw new IllegalStateException("corpus/statements.txt is not on the class path");
            }
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
