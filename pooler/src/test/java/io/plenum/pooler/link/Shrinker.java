package io.plenum.pooler.link;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Leaves messages out of a conversation for as long as what is left is still answered differently. */
final class Shrinker {
    /** Plays that may be spent on one conversation. */
    private static final int MOST_PLAYS = 300;

    /** Plays a conversation. */
    interface Judge {
        /** Its difference; null when there is none. */
        @Nullable
        Difference of(List<List<Utterance>> conversation) throws IOException;
    }

    /** A message and the turn that it is said in. */
    private record Said(int turn, Utterance message) {}

    private Shrinker() {}

    static Difference smallest(Difference found, Judge judge) throws IOException {
        Difference best = found;
        List<Said> kept = flat(found.conversation());
        List<Said> beginning = flat(found.conversation().subList(0, found.turn()));
        Difference begun = differenceOf(beginning, judge);
        int plays = 1;
        if (begun != null) {
            best = begun;
            kept = beginning;
        }
        for (int chunk = Math.max(1, kept.size() / 2); chunk > 0; chunk /= 2) {
            int at = 0;
            while (at < kept.size() && plays < MOST_PLAYS) {
                List<Said> fewer = new ArrayList<>(kept.subList(0, at));
                fewer.addAll(kept.subList(Math.min(kept.size(), at + chunk), kept.size()));
                plays++;
                Difference smaller = differenceOf(fewer, judge);
                if (smaller == null) {
                    at += chunk;
                } else {
                    best = smaller;
                    kept = fewer;
                }
            }
        }
        return best;
    }

    private static @Nullable Difference differenceOf(List<Said> messages, Judge judge) throws IOException {
        try {
            return judge.of(turns(messages));
        } catch (IllegalStateException unforeseen) {
            return null; // rows of one COPY that came to another
        }
    }

    private static List<Said> flat(List<List<Utterance>> conversation) {
        List<Said> all = new ArrayList<>();
        for (int turn = 0; turn < conversation.size(); turn++) {
            for (Utterance message : conversation.get(turn)) {
                all.add(new Said(turn, message));
            }
        }
        return all;
    }

    private static List<List<Utterance>> turns(List<Said> messages) {
        List<List<Utterance>> turns = new ArrayList<>();
        int turn = -1;
        for (Said said : messages) {
            if (said.turn() != turn) {
                turns.add(new ArrayList<>());
                turn = said.turn();
            }
            turns.getLast().add(said.message());
        }
        return turns;
    }
}
