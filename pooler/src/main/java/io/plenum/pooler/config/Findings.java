package io.plenum.pooler.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects what is wrong with a configuration, and what is only doubtful; bounded, however wrong it is. */
final class Findings {
    private final List<Fault> faults = new ArrayList<>();
    private final List<Fault> warnings = new ArrayList<>();

    void fault(Path file, int line, String message) {
        fault(file, line, message, null);
    }

    void fault(Path file, int line, String message, @Nullable String nearestName) {
        if (faults.size() < ConfigLoader.MOST_FAULTS - 1) {
            faults.add(new Fault(file, line, message, nearestName));
        } else if (faults.size() < ConfigLoader.MOST_FAULTS) {
            faults.add(
                    new Fault(file, line, "more faults from here on; they are shown once those above are gone", null));
        }
    }

    void unknown(Path file, int line, String what, String name, Collection<String> known) {
        String nearest = NearestName.of(name, known);
        String allowed = nearest == null && known.size() <= 12 ? "; allowed: " + String.join(", ", known) : "";
        fault(file, line, "unknown " + what + " " + quote(name) + allowed, nearest);
    }

    void warn(Path file, int line, String message) {
        warn(file, line, message, null);
    }

    void warn(Path file, int line, String message, @Nullable String nearestName) {
        if (warnings.size() < ConfigLoader.MOST_FAULTS) {
            warnings.add(new Fault(file, line, message, nearestName));
        }
    }

    boolean isFull() {
        return faults.size() >= ConfigLoader.MOST_FAULTS;
    }

    List<Fault> faults() {
        return faults;
    }

    List<Fault> warnings() {
        return warnings;
    }

    /** In double quotes, on one line, not too long for a message. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.codePoints()
                .limit(80)
                .forEach(c -> quoted.appendCodePoint(
                        Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '?' : c));
        return quoted.append(text.codePointCount(0, text.length()) > 80 ? "…\"" : "\"")
                .toString();
    }
}
