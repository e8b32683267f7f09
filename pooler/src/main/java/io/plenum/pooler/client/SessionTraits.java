package io.plenum.pooler.client;

import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.KeyHint;
import io.plenum.routing.RoutingHint;
import io.plenum.routing.balance.Hashes;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the settings of a session mean for how its batches are read and where they may go; drawn from them once, for logins of
 * the same kind as for batches. Immutable.
 *
 * @param safeText no byte of its texts looks like a quote or a backslash that is none
 * @param isolation its own default of the isolation level; null where it has none
 * @param limitsTransactions it limits how long PostgreSQL leaves its transactions open
 * @param minLsn the position that reads must have seen; null where none is named
 * @param key hash of what its reads are balanced by; 0 where none is named
 * @param commitsUnflushed its commits do not wait until they are flushed
 * @param idleNanos it may say nothing for so long outside a transaction; 0 for ever
 */
record SessionTraits(
        SessionSettings settings,
        boolean safeText,
        boolean utf8,
        boolean readOnlyByDefault,
        RoutingHint hint,
        @Nullable String isolation,
        boolean limitsTransactions,
        @Nullable String minLsn,
        long key,
        boolean commitsUnflushed,
        long idleNanos) {

    private static final Pattern DURATION = Pattern.compile("(\\d{1,9}) *(us|ms|s|min|h|d)?");

    /** {@code startValues} hold for reported parameters of which the settings say nothing. */
    static SessionTraits of(SessionSettings settings, Map<String, String> startValues) {
        String encoding = value("client_encoding", settings, startValues);
        String key = settings.get(KeyHint.SETTING);
        return new SessionTraits(
                settings,
                isSafe(encoding) && !"off".equals(value("standard_conforming_strings", settings, startValues)),
                encoding == null || encoding.equalsIgnoreCase("UTF8"),
                "on".equals(value("default_transaction_read_only", settings, startValues)),
                RoutingHint.named(value(RoutingHint.SETTING, settings, startValues)),
                settings.get("default_transaction_isolation"),
                settings.get("idle_in_transaction_session_timeout") != null
                        || settings.get("transaction_timeout") != null,
                settings.get("plenum.min_lsn"),
                key == null || key.isEmpty() ? 0 : Hashes.of(key),
                !flushes(settings.get("synchronous_commit")),
                nanos(settings.get(SessionSettings.IDLE_TIMEOUT)));
    }

    /** What PostgreSQL takes for so long, milliseconds where no unit is said; 0 for what is not understood. */
    private static long nanos(@Nullable String duration) {
        Matcher read = duration == null ? null : DURATION.matcher(duration.strip());
        if (read == null || !read.matches()) {
            return 0;
        }
        TimeUnit unit = switch (read.group(2)) {
            case "us" -> TimeUnit.MICROSECONDS;
            case "s" -> TimeUnit.SECONDS;
            case "min" -> TimeUnit.MINUTES;
            case "h" -> TimeUnit.HOURS;
            case "d" -> TimeUnit.DAYS;
            case null, default -> TimeUnit.MILLISECONDS;
        };
        return unit.toNanos(Long.parseLong(read.group(1)));
    }

    /** What the session has for a reported parameter: its own value, or that of its start. */
    static @Nullable String value(String name, SessionSettings settings, Map<String, String> startValues) {
        String own = settings.get(name);
        return own == null ? startValues.get(name) : own;
    }

    /** Encodings whose multi-byte characters may hold a byte that looks like a quote or a backslash are not safe to scan. */
    private static boolean isSafe(@Nullable String encoding) {
        return switch (encoding) {
            case null -> true;
            case "SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "GB18030", "UHC", "JOHAB" -> false;
            default -> true;
        };
    }

    /** Whether commits wait for a flush with this synchronous_commit; without one of its own the server's default counts. */
    private static boolean flushes(@Nullable String synchronousCommit) {
        return switch (synchronousCommit) {
            case null -> true;
            case "on", "local", "remote_write", "remote_apply" -> true;
            default -> false;
        };
    }
}
