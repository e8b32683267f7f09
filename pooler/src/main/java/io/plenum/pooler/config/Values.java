package io.plenum.pooler.config;

import io.plenum.wire.AsciiCase;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The values that a setting may take: what is allowed in words, how text becomes a value, how a value becomes text.
 *
 * <p>Reading what {@code writer} wrote gives an equal value. {@code writer} answers null for a value that stands for
 * "not set"; SHOW CONFIG shows it as NULL.
 */
public record Values<T>(String allowed, Reader<T> reader, Function<T, @Nullable String> writer) {

    /** Text, trimmed, to value. */
    @FunctionalInterface
    public interface Reader<T> {
        T read(String text) throws InvalidValueException;
    }

    private static final BigDecimal NANOS_PER_SECOND = BigDecimal.valueOf(1_000_000_000L);

    /** Longest time that is kept: 30 years, so that sums of times stay far from the end of a long. */
    private static final long LONGEST_SECONDS = 1_000_000_000L;

    /** More is refused, for PgBouncer, which counts microseconds in 64 bits, would make something else of it. */
    private static final BigDecimal MOST_SECONDS = BigDecimal.valueOf(9_000_000_000_000L);

    static Values<Integer> number(int least, int most) {
        return new Values<>(
                "a whole number from %d to %d".formatted(least, most),
                text -> (int) wholeNumber(text, least, most),
                value -> Integer.toString(value));
    }

    /**
     * A number of which PgBouncer knows no bounds: more than {@code most} is as good as that, and less than none is none.
     * Numbers that PgBouncer's int does not hold are refused.
     */
    static Values<Integer> limit(int most) {
        return atLeast(0, most, Integer.MIN_VALUE);
    }

    /** The same where too few would serve nobody, and is refused. */
    static Values<Integer> atLeast(int least, int most) {
        return atLeast(least, most, least);
    }

    private static Values<Integer> atLeast(int least, int most, int lowest) {
        String allowed = "a whole number from %d to %d".formatted(least, most);
        return new Values<>(
                allowed,
                text -> {
                    long value = wholeNumber(text, Integer.MIN_VALUE, Integer.MAX_VALUE);
                    if (value < lowest) {
                        throw new InvalidValueException("is out of range; allowed: " + allowed);
                    }
                    return Math.clamp(value, least, most);
                },
                value -> Integer.toString(value));
    }

    /** A file mode: octal with its leading zero, as PgBouncer writes it. */
    static Values<Integer> fileMode() {
        return new Values<>(
                "an octal number from 0000 to 0777",
                text -> (int) wholeNumber(text, 0, 0777),
                value -> "0%03o".formatted(value));
    }

    /** 0 is no, and any other number yes, as in PgBouncer. */
    static Values<Boolean> flag() {
        return new Values<>(
                "0 or 1",
                text -> wholeNumber(text, Integer.MIN_VALUE, Integer.MAX_VALUE) != 0,
                value -> value ? "1" : "0");
    }

    /** Seconds, with a fraction if wanted; kept to the nanosecond. */
    static Values<Duration> seconds() {
        return seconds(BigDecimal.ZERO);
    }

    static Values<Duration> seconds(BigDecimal least) {
        return new Values<>(
                "seconds from %s to %d, with a fraction if wanted".formatted(least.toPlainString(), LONGEST_SECONDS),
                text -> duration(text, least),
                Values::plainSeconds);
    }

    static Values<Duration> milliseconds() {
        return new Values<>(
                "milliseconds from 0 to %d".formatted(Integer.MAX_VALUE),
                text -> Duration.ofMillis(Math.max(0, wholeNumber(text, Integer.MIN_VALUE, Integer.MAX_VALUE))),
                value -> Long.toString(value.toMillis()));
    }

    static Values<String> text() {
        return new Values<>("any text", text -> text, value -> value);
    }

    /** Text that shows as NULL when it is empty, where PgBouncer's default is "not set" and not the empty text. */
    static Values<String> optionalText() {
        return new Values<>("any text", text -> text, value -> value.isEmpty() ? null : value);
    }

    /** The words of {@link LdapOptions}, kept as they are written; may hold a password. */
    static Values<String> ldapOptions() {
        return new Values<>(
                "PostgreSQL's options of the method ldap, NAME=VALUE with blanks between",
                text -> {
                    if (!text.isEmpty()) {
                        LdapOptions.parse(text);
                    }
                    return text;
                },
                value -> value.isEmpty() ? null : value);
    }

    /** Names with commas between; blanks around a name do not count. */
    static Values<List<String>> names() {
        return new Values<>("names with commas between", Values::splitNames, value -> String.join(", ", value));
    }

    /** Hosts of a database; one that begins with / or @ is the directory of a Unix socket. */
    static Values<List<String>> hosts() {
        return new Values<>(
                "host names, addresses or directories of Unix sockets with commas between",
                text -> {
                    List<String> hosts = splitNames(text);
                    for (String host : hosts) {
                        if (!HostPort.isUnix(host) && host.chars().anyMatch(c -> Character.isWhitespace(c) || c == 0)) {
                            throw new InvalidValueException("has a blank inside a host name");
                        }
                    }
                    return hosts;
                },
                value -> value.isEmpty() ? null : String.join(",", value));
    }

    static Values<List<Integer>> ports() {
        return new Values<>(
                "a port from 1 to 65535, or as many as there are hosts, with commas between",
                text -> {
                    List<Integer> ports = new ArrayList<>();
                    for (String port : splitNames(text)) {
                        ports.add((int) wholeNumber(port, 1, 65535));
                    }
                    return List.copyOf(ports);
                },
                value -> value.stream().map(Object::toString).collect(Collectors.joining(",")));
    }

    static Values<List<Integer>> weights() {
        return new Values<>(
                "a whole number from 1 to 1000, or as many as there are hosts, with commas between",
                text -> {
                    List<Integer> weights = new ArrayList<>();
                    for (String weight : splitNames(text)) {
                        weights.add((int) wholeNumber(weight, 1, 1000));
                    }
                    return List.copyOf(weights);
                },
                value -> value.stream().map(Object::toString).collect(Collectors.joining(",")));
    }

    static Values<List<HostPort>> nameServers() {
        return new Values<>(
                "addresses with commas between, each HOST or HOST:PORT",
                text -> {
                    List<HostPort> servers = new ArrayList<>();
                    for (String name : splitNames(text)) {
                        servers.add(HostPort.parse(name, 53));
                    }
                    return List.copyOf(servers);
                },
                value -> value.stream().map(HostPort::toString).collect(Collectors.joining(", ")));
    }

    static <E extends Enum<E> & Choice> Values<E> choice(Class<E> type) {
        return choice(type, EnumSet.noneOf(type));
    }

    /**
     * The constants of {@code type}. Those of {@code later} are known but refused: to take such a word and to do
     * something else would be worse than not to start.
     */
    static <E extends Enum<E> & Choice> Values<E> choice(Class<E> type, Set<E> later) {
        List<E> now = Arrays.stream(type.getEnumConstants())
                .filter(constant -> !later.contains(constant))
                .toList();
        String allowed = words(now);
        return new Values<>(
                allowed,
                text -> {
                    for (E constant : type.getEnumConstants()) {
                        if (constant.word().equals(AsciiCase.lower(text))) {
                            if (later.contains(constant)) {
                                throw new InvalidValueException("is not in this release yet; allowed: " + allowed);
                            }
                            return constant;
                        }
                    }
                    List<String> known = now.stream().map(Choice::word).toList();
                    String nearest = NearestName.of(text, known);
                    throw new InvalidValueException("is not one of its words; allowed: " + allowed
                            + (nearest == null ? "" : "; did you mean " + nearest + "?"));
                },
                Choice::word);
    }

    private static String words(Collection<? extends Choice> choices) {
        return choices.stream().map(Choice::word).collect(Collectors.joining(", "));
    }

    private static List<String> splitNames(String text) throws InvalidValueException {
        if (text.isEmpty()) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String name = part.strip();
            if (name.isEmpty()) {
                throw new InvalidValueException("has an empty name beside a comma; allowed: names with commas between");
            }
            names.add(name);
        }
        return List.copyOf(names);
    }

    /** As strtol with base 0 reads it, for that is what PgBouncer does: 0x for hexadecimal, a leading 0 for octal. */
    static long wholeNumber(String text, long least, long most) throws InvalidValueException {
        long value;
        try {
            value = Long.decode(text.startsWith("#") ? "x" : text); // decode would take # for hexadecimal, strtol not
        } catch (NumberFormatException _) {
            throw new InvalidValueException(
                    "is not a whole number; allowed: a whole number from %d to %d".formatted(least, most));
        }
        if (value < least || value > most) {
            throw new InvalidValueException(
                    "is out of range; allowed: a whole number from %d to %d".formatted(least, most));
        }
        return value;
    }

    private static Duration duration(String text, BigDecimal least) throws InvalidValueException {
        String allowed = "; allowed: seconds from %s to %d".formatted(least.toPlainString(), LONGEST_SECONDS);
        BigDecimal value;
        try {
            // The bound keeps a text such as 1e999999999 from becoming a number of a billion digits.
            value = text.length() > 40
                    ? null
                    : text.matches("0[xX][0-9a-fA-F]{1,12}")
                            ? BigDecimal.valueOf(Long.decode(text))
                            : text.matches("[+-]?[0-9.]+([eE][+-]?[0-9]{1,2})?") ? new BigDecimal(text) : null;
        } catch (NumberFormatException _) {
            value = null;
        }
        if (value == null) {
            throw new InvalidValueException("is not a time" + allowed);
        }
        if (value.compareTo(least) < 0 || value.compareTo(MOST_SECONDS) > 0) {
            throw new InvalidValueException("is out of range" + allowed);
        }
        BigDecimal kept = value.min(BigDecimal.valueOf(LONGEST_SECONDS));
        return Duration.ofNanos(kept.multiply(NANOS_PER_SECOND).longValue());
    }

    private static String plainSeconds(Duration value) {
        BigDecimal seconds = BigDecimal.valueOf(value.getSeconds()).add(BigDecimal.valueOf(value.getNano(), 9));
        return seconds.signum() == 0 ? "0" : seconds.stripTrailingZeros().toPlainString();
    }
}
