package io.plenum.pooler.admin;

import io.plenum.pooler.config.Settings;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One command as it was understood.
 *
 * @param table what SHOW shows; null with every other verb
 * @param name the database, empty where all are meant; the setting; or the client's number
 * @param value of a setting
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

    private static final Pattern SPACE = Pattern.compile("(?:\\s|--[^\\n]*(?:\\n|$)|/\\*(?s:.*?)\\*/)*+");
    private static final Pattern TOKEN = Pattern.compile(
            "\"(?<identifier>(?:[^\"]|\"\")*+)\"|'(?<string>(?:[^']|'')*+)'|(?<sign>[=;])|(?<word>[^\\s\"'=;$]++)");

    private record Token(String text, boolean sign) {
        boolean is(String other) {
            return sign == (other.length() == 1 && "=;".contains(other)) && text.equalsIgnoreCase(other);
        }
    }

    /** Understands a text; null is the empty command. */
    static @Nullable Command parse(String text) throws Misunderstood {
        List<Token> tokens = tokens(text);
        if (tokens.isEmpty()) {
            return null;
        }
        Verb verb = tokens.getFirst().sign() ? null : Verb.of(tokens.getFirst().text());
        if (verb == null) {
            throw invalid(text);
        }
        List<Token> rest = tokens.subList(1, tokens.size());
        return switch (verb) {
            case SHOW -> show(text, rest);
            case SET -> set(text, rest);
            case SHUTDOWN -> shutdown(text, rest);
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

    private static Command set(String text, List<Token> rest) throws Misunderstood {
        if (rest.isEmpty() || rest.stream().anyMatch(token -> token.is(";"))) {
            throw invalid(text);
        }
        String name = rest.getFirst().text().toLowerCase(Locale.ROOT);
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

    private static Command plain(Verb verb, String text, List<Token> rest) throws Misunderstood {
        boolean takesNothing = verb.form() == Verb.Form.NOTHING;
        if (rest.size() > (takesNothing ? 0 : 1) || rest.stream().anyMatch(Token::sign)) {
            throw invalid(text);
        }
        String name = rest.isEmpty() ? "" : rest.getFirst().text();
        if (verb.form() == Verb.Form.DATABASE && name.isEmpty()) {
            throw new Misunderstood(ErrorResponse.error(SqlState.SYNTAX_ERROR, "a database is required"));
        }
        if (verb.form() == Verb.Form.CLIENT && !name.matches("[0-9]{1,18}")) {
            throw new Misunderstood(
                    ErrorResponse.error(SqlState.INVALID_PARAMETER_VALUE, "invalid client pointer supplied")
                            .hint("SHOW CLIENTS has the id of each client."));
        }
        return new Command(verb, null, name, "");
    }

    private static Misunderstood invalid(String text) {
        String shown = text.length() > LONGEST_QUOTE ? text.substring(0, LONGEST_QUOTE) + "..." : text;
        return new Misunderstood(
                ErrorResponse.error(SqlState.SYNTAX_ERROR, "invalid command '%s', use SHOW HELP;".formatted(shown)));
    }
}
