package io.plenum.pooler.admin;

import static io.plenum.pooler.fuzz.Execution.demand;
import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.plenum.pooler.fuzz.Execution;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What somebody types at the console. */
public final class ConsoleFuzz {
    private static final int LONG = 60 * 1024; // the console takes no larger message
    private static final int LONGEST_ANSWER = 1000;

    private ConsoleFuzz() {}

    /** Called by the fuzzer. The first byte says whether the text is repeated, so that more than linear time shows. */
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length > 0) {
            String rest = new String(Arrays.copyOfRange(input, 1, input.length), StandardCharsets.UTF_8);
            boolean repeats = (input[0] & 0xf) == 0xf && !rest.isEmpty();
            String text = repeats ? rest.repeat(Math.max(1, LONG / rest.length())) : rest;
            Execution.of(text.length(), () -> {
                demandSame(understand(text), understand(text), "it is not always understood the same");
            });
        }
    }

    /** What can be shown, for the fuzzer to begin with. */
    public static List<String> words() {
        return ShowTables.all().stream().map(ShowTable::word).toList();
    }

    private static String understand(String text) {
        try {
            Command command = Command.parse(text);
            if (command == null) {
                return "nothing";
            }
            demand(command.right() != null, "a command for everybody");
            demand(command.verb() != Verb.SHOW || command.table() != null, "SHOW of nothing");
            if (command.verb() == Verb.PAUSE) {
                demand(!command.longest().isNegative(), "a pause that is over before it begins");
            }
            return command.verb() + " " + command.name() + " " + command.value();
        } catch (Command.Misunderstood refused) {
            demand(
                    refused.error().message().length() < LONGEST_ANSWER,
                    "the refusal is longer than the command may be");
            return refused.error().message();
        }
    }
}
