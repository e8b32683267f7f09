package io.plenum.pooler.metrics;

import org.jspecify.annotations.Nullable;

/**
 * What is counted for each database, in the order of SHOW STATS, with PgBouncer's names for each place where it is shown.
 *
 * <p>Times are microseconds.
 */
public enum Count {
    SERVER_ASSIGNMENTS("server_assignment_count"),
    TRANSACTIONS("xact_count"),
    QUERIES("query_count"),
    RECEIVED("received", "recv", "bytes_received", "client_bytes"),
    SENT("sent", "sent", "bytes_sent", "server_bytes"),
    TRANSACTION_TIME("xact_time"),
    QUERY_TIME("query_time"),
    WAIT_TIME("wait_time"),
    CLIENT_PARSES("client_parse_count", "ps_client_parse_count"),
    SERVER_PARSES("server_parse_count", "ps_server_parse_count"),
    BINDS("bind_count", "ps_bind_count"),
    CLIENT_LOGINS("client_login_count");

    private final String total;
    private final String average;
    private final String plain;
    private final String sum;

    Count(String name) {
        this(name, name);
    }

    Count(String name, String sum) {
        this(name, name, name, sum);
    }

    Count(String total, String average, String plain, String sum) {
        this.total = total;
        this.average = average;
        this.plain = plain;
        this.sum = sum;
    }

    /** Its column of totals in SHOW STATS. */
    public String totalColumn() {
        return "total_" + total;
    }

    /** Its column of averages in SHOW STATS. */
    public String averageColumn() {
        return "avg_" + average;
    }

    /** Its column in SHOW STATS_TOTALS. */
    public String plainColumn() {
        return plain;
    }

    /** Its column in SHOW STATS_AVERAGES, where PgBouncer puts {@code avg_} before the last four only. */
    public String plainAverageColumn() {
        return compareTo(CLIENT_PARSES) >= 0 ? averageColumn() : plain;
    }

    /** Its row in SHOW TOTALS, without {@code total_} or {@code avg_}. */
    public String sumName() {
        return sum;
    }

    /** What an average of a time is taken over; null for what is counted per second. */
    @Nullable
    Count dividedBy() {
        return switch (this) {
            case TRANSACTION_TIME -> TRANSACTIONS;
            case QUERY_TIME -> QUERIES;
            case WAIT_TIME -> SERVER_ASSIGNMENTS;
            default -> null;
        };
    }
}
