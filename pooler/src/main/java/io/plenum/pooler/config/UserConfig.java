package io.plenum.pooler.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One entry of {@code [users]}, or an empty one for a user without. Null is inherited; {@link PoolerConfig} has the
 * values in force.
 */
public record UserConfig(String name, Overrides overrides) {

    public @Nullable PoolMode poolMode() {
        return overrides.get(Settings.POOL_MODE);
    }

    public @Nullable Integer poolSize() {
        return overrides.get(Settings.DEFAULT_POOL_SIZE);
    }

    public @Nullable Integer reservePoolSize() {
        return overrides.get(Settings.RESERVE_POOL_SIZE);
    }

    public @Nullable Integer maxUserConnections() {
        return overrides.get(Settings.MAX_USER_CONNECTIONS);
    }

    public @Nullable Duration queryTimeout() {
        return overrides.get(Settings.QUERY_TIMEOUT);
    }

    public @Nullable Duration queryWaitTimeout() {
        return overrides.get(Settings.QUERY_WAIT_TIMEOUT);
    }

    public @Nullable Duration idleTransactionTimeout() {
        return overrides.get(Settings.IDLE_TRANSACTION_TIMEOUT);
    }

    public @Nullable Duration transactionTimeout() {
        return overrides.get(Settings.TRANSACTION_TIMEOUT);
    }

    public @Nullable Duration clientIdleTimeout() {
        return overrides.get(Settings.CLIENT_IDLE_TIMEOUT);
    }

    public @Nullable ReadRouting readRouting() {
        return overrides.get(Settings.READ_ROUTING);
    }
}
