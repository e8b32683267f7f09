package io.plenum.pooler.config;

import io.plenum.wire.AsciiCase;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Finds what was probably meant by a name that nobody knows. */
final class NearestName {
    private NearestName() {}

    /** The known name with the fewest edits to {@code name}, or null if all need more than a third of its letters. */
    static @Nullable String of(String name, Collection<String> known) {
        if (name.isEmpty() || name.length() > 100) {
            return null;
        }
        String wanted = AsciiCase.lower(name).replace('-', '_');
        String nearest = null;
        int fewest = 1 + Math.max(1, name.length() / 3);
        for (String candidate : known) {
            int edits = edits(wanted, candidate.replace('-', '_'), fewest);
            if (edits < fewest) {
                fewest = edits;
                nearest = candidate;
            }
        }
        return nearest;
    }

    /** Edit distance in which a swap of neighbours counts once; {@code limit} or more is not told apart. */
    private static int edits(String from, String to, int limit) {
        if (Math.abs(from.length() - to.length()) >= limit) {
            return limit;
        }
        int[][] cost = new int[from.length() + 1][to.length() + 1];
        for (int i = 0; i <= from.length(); i++) {
            for (int j = 0; j <= to.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                int change = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
                int best = Math.min(cost[i - 1][j - 1] + change, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
                boolean swapped = i > 1
                        && j > 1
                        && from.charAt(i - 1) == to.charAt(j - 2)
                        && from.charAt(i - 2) == to.charAt(j - 1);
                cost[i][j] = swapped ? Math.min(best, 1 + cost[i - 2][j - 2]) : best;
            }
        }
        return cost[from.length()][to.length()];
    }
}
