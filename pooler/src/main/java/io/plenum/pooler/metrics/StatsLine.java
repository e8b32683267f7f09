package io.plenum.pooler.metrics;

/** The line that the log gets at the end of each stats_period, in PgBouncer's form. */
public final class StatsLine {
    private StatsLine() {}

    /** {@code averages} are those of all databases over the period. */
    public static String of(Totals averages) {
        return ("stats: %d xacts/s, %d queries/s, %d client parses/s, %d server parses/s, %d binds/s,"
                        + " in %d B/s, out %d B/s, xact %d us, query %d us, wait %d us")
                .formatted(
                        averages.get(Count.TRANSACTIONS),
                        averages.get(Count.QUERIES),
                        averages.get(Count.CLIENT_PARSES),
                        averages.get(Count.SERVER_PARSES),
                        averages.get(Count.BINDS),
                        averages.get(Count.RECEIVED),
                        averages.get(Count.SENT),
                        averages.get(Count.TRANSACTION_TIME),
                        averages.get(Count.QUERY_TIME),
                        averages.get(Count.WAIT_TIME));
    }
}
