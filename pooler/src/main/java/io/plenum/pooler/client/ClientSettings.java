package io.plenum.pooler.client;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolMode;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.config.UserConfig;
import io.plenum.pooler.link.Link;
import io.plenum.routing.RoutingPolicy;

/** What the settings say of one client; times in nanoseconds, 0 where a limit is off. */
record ClientSettings(
        Link.Mode mode,
        RoutingPolicy routing,
        int maxPrepared,
        long queryWaitNanos,
        long queryNanos,
        long idleTransactionNanos,
        long transactionNanos,
        long idleNanos) {

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
                config.get(Settings.MAX_PREPARED_STATEMENTS),
                config.queryWaitTimeout(database, user).toNanos(),
                config.queryTimeout(user).toNanos(),
                config.idleTransactionTimeout(user).toNanos(),
                config.transactionTimeout(user).toNanos(),
                config.clientIdleTimeout(user).toNanos());
    }
}
