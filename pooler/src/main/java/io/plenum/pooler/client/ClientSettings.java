package io.plenum.pooler.client;

import io.plenum.pooler.config.BalanceKey;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.DeferredBegin;
import io.plenum.pooler.config.PoolMode;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.ReadConsistency;
import io.plenum.pooler.config.SequenceMemory;
import io.plenum.pooler.config.SessionStatePolicy;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.config.UserConfig;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.pool.FreshReads;
import io.plenum.pooler.pool.Pool;
import io.plenum.routing.HintPolicy;
import io.plenum.routing.Reason;
import io.plenum.routing.RoutingPolicy;
import io.plenum.wire.FrontendType;
import io.plenum.wire.error.ErrorResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What the settings say of one client; times in nanoseconds, 0 where a limit is off. */
record ClientSettings(
        Link.Mode mode,
        RoutingPolicy routing,
        HintPolicy hints,
        DeferredBegin deferredBegin,
        BalanceKey balanceKey,
        ReadConsistency consistency,
        FreshReads.Patience patience,
        int maxPrepared,
        long queryWaitNanos,
        long queryNanos,
        long idleTransactionNanos,
        long transactionNanos,
        long idleNanos,
        SessionStatePolicy sessionState,
        SequenceMemory sequenceMemory,
        int maxPinnedShare,
        long pinIdleNanos,
        long noticeNanos,
        int largestMessage,
        boolean simpleQueries,
        boolean fastClose) {

    static ClientSettings of(PoolerConfig config, DatabaseConfig database, UserConfig user) {
        PoolMode mode = config.poolMode(database, user);
        return new ClientSettings(
                switch (mode) {
                    case SESSION -> Link.Mode.SESSION;
                    case TRANSACTION -> Link.Mode.TRANSACTION;
                    case STATEMENT -> Link.Mode.STATEMENT;
                },
                mode == PoolMode.SESSION
                        ? RoutingPolicy.OFF
                        : switch (config.readRouting(database, user)) {
                            case AUTO -> RoutingPolicy.AUTO;
                            case EXPLICIT -> RoutingPolicy.EXPLICIT;
                            case OFF -> RoutingPolicy.OFF;
                        },
                switch (config.routingHints(database, user)) {
                    case OFF -> HintPolicy.OFF;
                    case PRIMARY -> HintPolicy.PRIMARY;
                    case ON -> HintPolicy.ON;
                },
                mode == PoolMode.TRANSACTION ? config.deferredBegin(database, user) : DeferredBegin.OFF,
                config.get(Settings.BALANCE_KEY, database),
                config.readConsistency(database, user),
                new FreshReads.Patience(
                        config.get(Settings.CAUSAL_WAIT, database).toNanos(),
                        config.get(Settings.MAX_FALLBACK_SHARE, database),
                        config.get(Settings.FALLBACK_WAIT, database).toNanos()),
                config.get(Settings.MAX_PREPARED_STATEMENTS),
                config.queryWaitTimeout(database, user).toNanos(),
                config.queryTimeout(user).toNanos(),
                config.idleTransactionTimeout(user).toNanos(),
                config.transactionTimeout(user).toNanos(),
                config.clientIdleTimeout(user).toNanos(),
                config.get(Settings.SESSION_STATE),
                config.get(Settings.SEQUENCE_MEMORY),
                config.get(Settings.MAX_PINNED_SHARE),
                config.get(Settings.PIN_IDLE_TIMEOUT).toNanos(),
                TimeUnit.SECONDS.toNanos(config.get(Settings.QUERY_WAIT_NOTIFY)),
                config.get(Settings.MAX_PACKET_SIZE),
                !config.get(Settings.DISABLE_PQEXEC),
                mode == PoolMode.SESSION && config.get(Settings.SERVER_FAST_CLOSE));
    }

    /** The same limits for a session of the kind that it was when it began. */
    ClientSettings ofKind(ClientSettings begun) {
        return new ClientSettings(
                begun.mode,
                begun.mode == mode ? routing : begun.routing,
                hints,
                begun.mode == mode ? deferredBegin : begun.deferredBegin,
                balanceKey,
                begun.consistency,
                patience,
                maxPrepared,
                queryWaitNanos,
                queryNanos,
                idleTransactionNanos,
                transactionNanos,
                idleNanos,
                sessionState,
                sequenceMemory,
                maxPinnedShare,
                pinIdleNanos,
                noticeNanos,
                largestMessage,
                simpleQueries,
                fastClose && begun.mode == mode);
    }

    /** Why a client may not send such a message; null when it may. */
    @Nullable
    ErrorResponse refusedMessage(FrontendType type, int length) {
        if (length > largestMessage) {
            return PoolerErrors.messageTooLarge(largestMessage);
        }
        return type == FrontendType.QUERY && !simpleQueries ? PoolerErrors.simpleQueryRefused() : null;
    }

    /** Whether a client that has waited so long for a server should have been told. */
    boolean isNoticeDue(long waitedNanos) {
        return isOver(waitedNanos, noticeNanos);
    }

    /** Why a client may not keep a server of the pool beyond its transaction; null when it may, and takes a place if it counts. */
    @Nullable
    ErrorResponse refusedPin(String reason, Pool pool, boolean counts) {
        if (sessionState == SessionStatePolicy.REFUSE) {
            return PoolerErrors.sessionStateRefused(reason);
        }
        return !counts || pool.tryPin() ? null : PoolerErrors.tooManyPins(reason, maxPinnedShare);
    }

    /** Which limit a client breaks that keeps a server and has not used it for so long; null for none. */
    @Nullable
    ErrorResponse brokenKept(@Nullable Reason pin, long idle) {
        return pin != null && isOver(idle, pinIdleNanos)
                ? PoolerErrors.pinIdleTimeout(Duration.ofNanos(pinIdleNanos), pin.label())
                : brokenIdle(idle);
    }

    /** Which limit a client breaks that has waited so long for a server; null for none. */
    @Nullable
    ErrorResponse brokenWaiting(String database, String user, boolean primaryMissing, long waitedNanos) {
        if (isOver(waitedNanos, queryNanos)) { // for whoever waits for its answer, the query takes that long
            return PoolerErrors.queryTimeout(Duration.ofNanos(queryNanos));
        }
        if (!isOver(waitedNanos, queryWaitNanos)) {
            return null;
        }
        Duration waited = Duration.ofNanos(waitedNanos);
        return primaryMissing
                ? PoolerErrors.noPrimary(database, waited)
                : PoolerErrors.queryWaitTimeout(database, user, waited);
    }

    /** Which limit a client breaks that has a server; null for none. The times are since its query and transaction began. */
    @Nullable
    ErrorResponse brokenLinked(boolean running, boolean inTransaction, long sinceQuery, long sinceTransaction) {
        if (running && isOver(sinceQuery, queryNanos)) {
            return PoolerErrors.queryTimeout(Duration.ofNanos(queryNanos));
        }
        if (!running && inTransaction && isOver(sinceQuery, idleTransactionNanos)) {
            return PoolerErrors.idleTransactionTimeout(Duration.ofNanos(idleTransactionNanos));
        }
        if ((running || inTransaction) && isOver(sinceTransaction, transactionNanos)) {
            return PoolerErrors.transactionTimeout(Duration.ofNanos(transactionNanos));
        }
        return null;
    }

    /** Which limit a client breaks that has done nothing for so long; null for none. */
    @Nullable
    ErrorResponse brokenIdle(long idle) {
        return isOver(idle, idleNanos) ? PoolerErrors.clientIdleTimeout(Duration.ofNanos(idleNanos)) : null;
    }

    private static boolean isOver(long nanos, long limit) {
        return limit > 0 && nanos > limit;
    }
}
