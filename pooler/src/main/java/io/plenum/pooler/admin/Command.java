package io.plenum.pooler.admin;

import io.plenum.pooler.config.Settings;
import io.plenum.wire.AsciiCase;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One command as it was understood.
 *
 * @param table what SHOW or SELECT shows; null with every other verb
 * @param name the database, empty where all are meant; the setting; the client's number; or the tag of what has no effect
 * @param value of a setting; the longest that PAUSE may last in seconds, empty without; or the text to explain
 */
record Command(Verb verb, @Nullable ShowTable table, String name, String value) {

    /** The text is no command: what to say instead of running it. */
    static final class Misunderstood extends Exception {
        private static final long serialVersionUID = 1;

        private final transient ErrorResponse error;

        Misunderstood(ErrorResponse error) {
            super(error.message(), null, false, false);
            this.error = error;
        }

        ErrorResponse error() {
            return error;
        }
    }

    static final String BEGIN = "BEGIN";
    static final String START_TRANSACTION = "START TRANSACTION";
    static final String COMMIT = "COMMIT";
    static final String ROLLBACK = "ROLLBACK";

    private static final int LONGEST_QUOTE = 200;

    /** Parameters of a PostgreSQL session that drivers set when they log in. */
    private static final Set<String> SESSION_PARAMETERS = Set.of(
            "application_name",
            "bytea_output",
            "client_encoding",
            "client_min_messages",
            "datestyle",
            "extra_float_digits",
            "idle_in_transaction_session_timeout",
            "intervalstyle",
            "lock_timeout",
            "search_path",
            "standard_conforming_strings",
            "statement_timeout",
            "synchronous_commit",
            "timezone");

    /** SET SESSION CHARACTERISTICS, SET TIME ZONE, SET NAMES and their kin. */
    private static final Set<String> SESSION_WORDS = Set.of("session", "local", "time", "names", "transaction");

    /** What drivers and their pools say around a command, by its first word, and the tag of PostgreSQL's answer. */
    private static final Map<String, String> SESSION_TAGS = Map.ofEntries(
            Map.entry("BEGIN", BEGIN),
            Map.entry("START", START_TRANSACTION),
            Map.entry("COMMIT", COMMIT),
            Map.entry("END", COMMIT),
            Map.entry("ROLLBACK", ROLLBACK),
            Map.entry("ABORT", ROLLBACK),
            Map.entry("DISCARD", "DISCARD ALL"),
            Map.entry("RESET", "RESET"),
            Map.entry("UNLISTEN", "UNLISTEN"),
            Map.entry("DEALLOCATE", "DEALLOCATE ALL"),
            Map.entry("CLOSE", "CLOSE CURSOR ALL"));

    // A comment without an end is no word: looked for again at each of many, its end would cost the square of the text.
    private static final Pattern SPACE = Pattern.compile("(?:\\s|--[^\\n]*(?:\\n|$)|/\\*(?s:.*?)\\*/)*+");
    private static final Pattern TOKEN = Pattern.compile(
            "\"(?<identifier>(?:[^\"]|\"\")*+)\"|'(?<string>(?:[^']|'')*+)'|(?<sign>[=;])|(?<word>(?!/\\*)[^\\s\"'=;$]++)");

    private record Token(String text, boolean sign) {
        boolean is(String other) {
            return sign == (other.length() == 1 && "=;".contains(other)) && text.equalsIgnoreCase(other);
        }
    }

    /** What its user must be allowed. */
    Verb.Right right() {
        return table != null && table.right() == Verb.Right.ADMIN ? Verb.Right.ADMIN : verb.right();
    }

    /** Understands a text; null is the empty command. */
    static @Nullable Command parse(String text) throws Misunderstood {
        Command explain = ExplainRoute.parse(text);
        if (explain != null) {
            return explain; // what follows is SQL
        }
        List<Token> tokens = tokens(text);
        if (tokens.isEmpty()) {
            return null;
        }
        Token first = tokens.getFirst();
        List<Token> rest = tokens.subList(1, tokens.size());
        String sessionTag = first.sign() ? null : SESSION_TAGS.get(AsciiCase.upper(first.text()));
        if (sessionTag != null && rest.stream().noneMatch(token -> token.is(";"))) {
            return new Command(Verb.SESSION, null, sessionTag, "");
        }
        Verb verb = first.sign() ? null : Verb.of(first.text());
        if (verb == null) {
            throw invalid(text);
        }
        return switch (verb) {
            case SHOW -> show(text, rest);
            case SELECT -> select(text, rest);
            case SET -> set(text, rest);
            case SHUTDOWN -> shutdown(text, rest);
            case PAUSE -> pause(text, rest);
            default -> plain(verb, text, rest);
        };
    }

    private static List<Token> tokens(String text) throws Misunderstood {
        Matcher space = SPACE.matcher(text);
        Matcher token = TOKEN.matcher(text);
        List<Token> tokens = new ArrayList<>();
        int at = 0;
        while (true) {
            space.region(at, text.length());
            at = space.lookingAt() ? space.end() : at;
            if (at == text.length()) {
                break;
            }
            token.region(at, text.length());
            if (!token.lookingAt()) {
                if (text.charAt(at) == '$') {
                    throw new Misunderstood(ErrorResponse.error(
                            SqlState.FEATURE_NOT_SUPPORTED, "commands of the console take no parameters"));
                }
                throw invalid(text);
            }
            at = token.end();
            tokens.add(token(token));
        }
        while (!tokens.isEmpty() && tokens.getLast().is(";")) {
            tokens.removeLast();
        }
        return tokens;
    }

    private static Token token(Matcher found) {
        String identifier = found.group("identifier");
        String string = found.group("string");
        if (identifier != null) {
            return new Token(identifier.replace("\"\"", "\""), false);
        }
        return string != null
                ? new Token(string.replace("''", "'"), false)
                : new Token(found.group(), found.group("sign") != null);
    }

    private static Command show(String text, List<Token> rest) throws Misunderstood {
        if (rest.size() == 1 && rest.getFirst().is("HELP")) {
            return new Command(Verb.HELP, null, "", "");
        }
        boolean timeZone =
                rest.size() == 2 && rest.get(0).is("TIME") && rest.get(1).is("ZONE");
        boolean isolation = rest.size() == 3
                && rest.get(0).is("TRANSACTION")
                && rest.get(1).is("ISOLATION")
                && rest.get(2).is("LEVEL");
        String word = timeZone
                ? "timezone"
                : isolation
                        ? "default_transaction_isolation"
                        : rest.size() == 1 ? rest.getFirst().text() : "";
        ShowTable table = ShowTables.find(word);
        if (table == null) {
            throw invalid(text);
        }
        return new Command(Verb.SHOW, table, "", "");
    }

    /** PgBouncer runs SELECT and one word as SHOW; besides there are the few questions that tools ask every server. */
    private static Command select(String text, List<Token> rest) throws Misunderstood {
        ShowTable answer = rest.size() == 1 ? SelectTables.find(rest.getFirst().text()) : null;
        return answer == null ? show(text, rest) : new Command(Verb.SELECT, answer, "", "");
    }

    private static Command set(String text, List<Token> rest) throws Misunderstood {
        if (rest.isEmpty() || rest.stream().anyMatch(token -> token.is(";"))) {
            throw invalid(text);
        }
        String name = AsciiCase.lower(rest.getFirst().text());
        if (SESSION_WORDS.contains(name)) {
            return new Command(Verb.SESSION_SET, null, name, "");
        }
        boolean assigned =
                rest.size() >= 2 && (rest.get(1).is("=") || rest.get(1).is("TO"));
        if (!assigned || rest.size() > 3 || rest.getFirst().sign()) {
            throw invalid(text);
        }
        String value = rest.size() == 3 ? rest.get(2).text() : "";
        boolean ofSession = SESSION_PARAMETERS.contains(name) && Settings.find(name) == null;
        return new Command(ofSession ? Verb.SESSION_SET : Verb.SET, null, name, value);
    }

    private static Command shutdown(String text, List<Token> rest) throws Misunderstood {
        if (rest.isEmpty()) {
            return new Command(Verb.SHUTDOWN, null, "", "");
        }
        if (rest.size() == 1 && rest.getFirst().is("WAIT_FOR_SERVERS")) {
            return new Command(Verb.SHUTDOWN_WAIT_FOR_SERVERS, null, "", "");
        }
        if (rest.size() == 1 && rest.getFirst().is("WAIT_FOR_CLIENTS")) {
            return new Command(Verb.SHUTDOWN_WAIT_FOR_CLIENTS, null, "", "");
        }
        throw invalid(text);
    }

    /** The time goes with a word of its own, for a database may be called like a number. */
    private static Command pause(String text, List<Token> rest) throws Misunderstood {
        int size = rest.size();
        if (size < 2 || !rest.get(size - 2).is("FOR")) {
            return plain(Verb.PAUSE, text, rest);
        }
        String seconds = rest.getLast().text();
        if (!seconds.matches("[0-9]{1,6}")) {
            throw new Misunderstood(
                    ErrorResponse.error(Console.REFUSED, "PAUSE is for a number of seconds, and not for " + seconds));
        }
        Command paused = plain(Verb.PAUSE, text, rest.subList(0, size - 2));
        return new Command(paused.verb(), null, paused.name(), seconds);
    }

    /** How long a PAUSE may last; zero is for ever. */
    Duration longest() {
        return value.isEmpty() ? Duration.ZERO : Duration.ofSeconds(Long.parseLong(value));
    }

    private static Command plain(Verb verb, String text, List<Token> rest) throws Misunderstood {
        boolean takesNothing = verb.form() == Verb.Form.NOTHING;
        if (rest.size() > (takesNothing ? 0 : 1) || rest.stream().anyMatch(Token::sign)) {
            throw invalid(text);
        }
        String name = rest.isEmpty() ? "" : rest.getFirst().text();
        if (verb.form() == Verb.Form.DATABASE && name.isEmpty()) {
            throw new Misunderstood(ErrorResponse.error(Console.REFUSED, "a database is required"));
        }
        if (verb.form() == Verb.Form.CLIENT && !name.matches("[0-9]{1,18}")) {
            throw new Misunderstood(ErrorResponse.error(Console.REFUSED, "invalid client pointer supplied")
                    .hint("SHOW CLIENTS has the id of each client."));
        }
        return new Command(verb, null, name, "");
    }

    private static Misunderstood invalid(String text) {
        String shown = text.length() > LONGEST_QUOTE ? text.substring(0, LONGEST_QUOTE) + "..." : text;
        return new Misunderstood(
                ErrorResponse.error(Console.REFUSED, "invalid command '%s', use SHOW HELP;".formatted(shown)));
    }
}
