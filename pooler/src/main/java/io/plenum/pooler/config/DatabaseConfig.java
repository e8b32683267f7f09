package io.plenum.pooler.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of {@code [databases]}. What may be inherited is null here when the entry does not say it;
 * {@link PoolerConfig} has the values in force.
 *
 * @param name the name that clients give
 * @param dbname the name on the server
 * @param overrides all that the entry sets
 * @param autodb made from the entry {@code *} because no entry has this name
 */
public record DatabaseConfig(String name, String dbname, Overrides overrides, boolean autodb) {

    /** As written; empty means {@code localhost}. */
    public List<String> hosts() {
        return overrides.or(Settings.DATABASE_HOST, List.of());
    }

    /** The port of the first or only host. */
    public int port() {
        return overrides
                .or(Settings.DATABASE_PORT, Settings.DATABASE_PORT.defaultValue())
                .getFirst();
    }

    /** Each host with its port, as written and not looked up; never empty. */
    public List<HostPort> nodes() {
        List<String> hosts = hosts().isEmpty() ? List.of("localhost") : hosts();
        List<Integer> ports = overrides.or(Settings.DATABASE_PORT, Settings.DATABASE_PORT.defaultValue());
        List<HostPort> nodes = new ArrayList<>();
        for (int i = 0; i < hosts.size(); i++) {
            nodes.add(new HostPort(hosts.get(i), ports.get(ports.size() == 1 ? 0 : i)));
        }
        return List.copyOf(nodes);
    }

    /** What part of the reads each host gets beside the others: one for all, or one for each host. */
    public List<Integer> weights() {
        return overrides.or(Settings.DATABASE_WEIGHT, Settings.DATABASE_WEIGHT.defaultValue());
    }

    /** The one user of all server connections; null if each client brings its own. */
    public @Nullable String user() {
        return overrides.get(Settings.DATABASE_USER);
    }

    /** The password of {@link #user()}; null if the user list has it. */
    public Secret.@Nullable Plain password() {
        String password = overrides.get(Settings.DATABASE_PASSWORD);
        return password == null ? null : new Secret.Plain(password);
    }

    public @Nullable String authUser() {
        return overrides.get(Settings.AUTH_USER);
    }

    public @Nullable PoolMode poolMode() {
        return overrides.get(Settings.POOL_MODE);
    }

    public @Nullable Integer poolSize() {
        return overrides.get(Settings.DEFAULT_POOL_SIZE);
    }

    public @Nullable Integer minPoolSize() {
        return overrides.get(Settings.MIN_POOL_SIZE);
    }

    public @Nullable Integer reservePoolSize() {
        return overrides.get(Settings.RESERVE_POOL_SIZE);
    }

    public @Nullable Integer maxDbConnections() {
        return overrides.get(Settings.MAX_DB_CONNECTIONS);
    }

    public @Nullable Duration queryWaitTimeout() {
        return overrides.get(Settings.QUERY_WAIT_TIMEOUT);
    }

    public @Nullable Duration serverLifetime() {
        return overrides.get(Settings.SERVER_LIFETIME);
    }

    public @Nullable String connectQuery() {
        return overrides.get(Settings.DATABASE_CONNECT_QUERY);
    }

    public @Nullable String clientEncoding() {
        return overrides.get(Settings.DATABASE_CLIENT_ENCODING);
    }

    public @Nullable String datestyle() {
        return overrides.get(Settings.DATABASE_DATESTYLE);
    }

    public @Nullable String timezone() {
        return overrides.get(Settings.DATABASE_TIMEZONE);
    }

    public @Nullable String applicationName() {
        return overrides.get(Settings.DATABASE_APPLICATION_NAME);
    }

    public LoadBalanceHosts loadBalanceHosts() {
        return overrides.or(Settings.DATABASE_LOAD_BALANCE_HOSTS, LoadBalanceHosts.ROUND_ROBIN);
    }

    public @Nullable ReadRouting readRouting() {
        return overrides.get(Settings.READ_ROUTING);
    }

    public @Nullable Balance balance() {
        return overrides.get(Settings.BALANCE);
    }

    public @Nullable DiscoveryMode discovery() {
        return overrides.get(Settings.DISCOVERY);
    }

    public @Nullable String service() {
        return overrides.get(Settings.SERVICE);
    }
}
