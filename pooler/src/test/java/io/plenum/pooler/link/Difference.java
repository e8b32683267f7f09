package io.plenum.pooler.link;

import java.util.List;

/** A conversation to which the pooler answers otherwise than the server, with both answers. */
record Difference(List<List<Utterance>> conversation, List<String> direct, List<String> pooled) {
    private static final int SHOWN = 400;

    /** How many turns were said when it showed. */
    int turn() {
        long begun = direct.subList(0, alike()).stream()
                .filter(ConversationPlayer.TURN::equals)
                .count();
        return (int) Math.min(begun, conversation.size());
    }

    /** Whether there is none. */
    boolean isNone() {
        return direct.equals(pooled);
    }

    /** Whether it is one that may be. */
    boolean isAllowed() {
        int from = alike();
        return from < direct.size()
                && from < pooled.size()
                && AllowedDifference.of(direct.get(from), pooled.get(from), words(conversation.subList(0, turn())))
                        != null;
    }

    private int alike() {
        int from = 0;
        while (from < direct.size() && from < pooled.size() && direct.get(from).equals(pooled.get(from))) {
            from++;
        }
        return from;
    }

    /** The same answers, with the conversation that is to blame for them. */
    Difference of(List<List<Utterance>> other) {
        return new Difference(other, direct, pooled);
    }

    /** The conversation, one line for each write. */
    String words() {
        return words(conversation);
    }

    private static String words(List<List<Utterance>> turns) {
        var text = new StringBuilder();
        for (List<Utterance> turn : turns) {
            text.append("  ").append(turn).append('\n');
        }
        return text.toString();
    }

    @Override
    public String toString() {
        var text = new StringBuilder("conversation, one line for each write:\n").append(words());
        int from = alike();
        tell(text.append("alike:\n"), direct.subList(0, from));
        tell(text.append("then, from the server:\n"), direct.subList(from, direct.size()));
        tell(text.append("and through the pooler:\n"), pooled.subList(from, pooled.size()));
        return text.toString();
    }

    private static void tell(StringBuilder text, List<String> lines) {
        for (String line : lines) {
            text.append("  ").append(line, 0, Math.min(SHOWN, line.length())).append('\n');
        }
    }
}
