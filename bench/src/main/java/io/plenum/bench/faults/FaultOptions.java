package io.plenum.bench.faults;

import java.time.Duration;

/**
 * The size of a run.
 *
 * @param clients connections at once
 * @param poolSize most server connections that the pooler may have for this user and database
 * @param length how long the clients begin new exchanges
 * @param replies that many are judged at least, however long that takes
 * @param faultEvery time from one fault to the next
 * @param queryTimeout the pooler's query_timeout, which the queries that run out of time exceed; zero where it has none: then the server's
 *     statement_timeout ends them
 * @param sessionState whether sessions have settings, listen, and leave things in servers, which not every pooler keeps apart
 * @param seed of all that is random, as far as threads allow
 */
public record FaultOptions(
        int clients,
        int poolSize,
        Duration length,
        long replies,
        Duration faultEvery,
        Duration queryTimeout,
        boolean sessionState,
        long seed) {}
