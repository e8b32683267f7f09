package io.plenum.wire.startup;

import io.plenum.wire.ProtocolException;
import io.plenum.wire.error.SqlState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * The startup parameter {@code options}: a command line for the server process.
 *
 * <p>Split as pg_split_opts of PostgreSQL's postinit.c does and read as process_postgres_switches of its postgres.c:
 * switches that are another way to write a setting become that setting.
 */
final class CommandLine {
    /** Switches that take no argument and set one thing. */
    private static final Map<Character, Setting> FLAGS = Map.of(
            'e', new Setting("datestyle", "euro"),
            'F', new Setting("fsync", "false"),
            'O', new Setting("allow_system_table_mods", "true"),
            'P', new Setting("ignore_system_indexes", "true"),
            's', new Setting("log_statement_stats", "true"));

    private record Setting(String name, String value) {}

    private CommandLine() {}

    /** The words of a command line: white space parts them, a backslash takes the next character as it is. */
    static List<String> split(String options) {
        List<String> words = new ArrayList<>();
        int i = 0;
        while (true) {
            while (i < options.length() && isSpace(options.charAt(i))) {
                i++;
            }
            if (i == options.length()) {
                return words;
            }
            StringBuilder word = new StringBuilder();
            boolean escaped = false;
            for (; i < options.length(); i++) {
                char c = options.charAt(i);
                if (isSpace(c) && !escaped) {
                    break;
                }
                if (c == '\\' && !escaped) {
                    escaped = true;
                } else {
                    escaped = false;
                    word.append(c);
                }
            }
            words.add(word.toString());
        }
    }

    /** Hands over every setting of the command line in its order, or throws in PostgreSQL's words. */
    static void settings(String options, BiConsumer<String, String> setting) {
        List<String> words = split(options);
        int next = 0;
        while (next < words.size()) {
            String word = words.get(next++);
            if (word.equals("--") && next == words.size()) {
                return; // "no more switches", and none follow
            }
            if (word.length() < 2 || word.charAt(0) != '-' || word.equals("--")) {
                throw invalid(word);
            }
            // As getopt does: flags may stand together, and an argument may follow its switch at once or as a word.
            for (int i = 1; i < word.length(); i++) {
                char letter = word.charAt(i);
                Setting flag = FLAGS.get(letter);
                if (flag != null) {
                    setting.accept(flag.name(), flag.value());
                    continue;
                }
                if ("-cfSt".indexOf(letter) < 0) {
                    throw invalid(word);
                }
                String argument;
                if (i + 1 < word.length()) {
                    argument = word.substring(i + 1);
                } else if (next < words.size()) {
                    argument = words.get(next++);
                } else {
                    throw invalid(word);
                }
                argument(letter, argument, word, setting);
                break;
            }
        }
    }

    private static void argument(char letter, String argument, String word, BiConsumer<String, String> setting) {
        switch (letter) {
            case 'S' -> setting.accept("work_mem", argument);
            case 'f' -> setting.accept(plan(argument, word), "false");
            case 't' -> setting.accept(statistics(argument, word), "true");
            default -> {
                int equals = argument.indexOf('=');
                String name = (equals < 0 ? argument : argument.substring(0, equals)).replace('-', '_');
                if (equals < 0) {
                    throw new ProtocolException(
                            SqlState.SYNTAX_ERROR, (letter == '-' ? "--" : "-c ") + argument + " requires a value");
                }
                setting.accept(name, argument.substring(equals + 1));
            }
        }
    }

    /** What {@code -f} forbids the planner (set_plan_disabling_options). */
    private static String plan(String argument, String word) {
        return switch (argument.isEmpty() ? ' ' : argument.charAt(0)) { // what follows the letter is not looked at
            case 's' -> "enable_seqscan";
            case 'i' -> "enable_indexscan";
            case 'o' -> "enable_indexonlyscan";
            case 'b' -> "enable_bitmapscan";
            case 't' -> "enable_tidscan";
            case 'n' -> "enable_nestloop";
            case 'm' -> "enable_mergejoin";
            case 'h' -> "enable_hashjoin";
            default -> throw invalid(word);
        };
    }

    /** What {@code -t} has logged (get_stats_option_name). */
    private static String statistics(String argument, String word) {
        if (argument.startsWith("pa")) {
            return "log_parser_stats";
        }
        if (argument.startsWith("pl")) {
            return "log_planner_stats";
        }
        if (argument.startsWith("e")) {
            return "log_executor_stats";
        }
        throw invalid(word);
    }

    private static ProtocolException invalid(String word) {
        return new ProtocolException(
                SqlState.SYNTAX_ERROR, "invalid command-line argument for server process: " + word);
    }

    /** The C function isspace in the C locale. */
    private static boolean isSpace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }
}
