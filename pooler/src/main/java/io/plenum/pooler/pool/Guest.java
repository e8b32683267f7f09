package io.plenum.pooler.pool;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.error.ErrorResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands on what becomes of a connection that no pool has, and lets it count in the limits of its database and its user
 * until it is closed.
 */
final class Guest implements ServerConnection.Owner {
    private final List<Permits> limits;
    private final ServerConnection.Owner host;
    private final long sinceNanos = System.nanoTime();

    private Guest(List<Permits> limits, ServerConnection.Owner host) {
        this.limits = limits;
        this.host = host;
    }

    /** Takes one of each limit, which the end of the connection gives back; null when one of them is reached. */
    static @Nullable Guest admit(List<Permits> limits, ServerConnection.Owner host) {
        for (int i = 0; i < limits.size(); i++) {
            if (!limits.get(i).tryTake(0)) {
                limits.subList(0, i).forEach(Permits::giveBack);
                return null;
            }
        }
        return new Guest(limits, host);
    }

    @Override
    public void onLoggedIn(ServerConnection server) {
        host.onLoggedIn(server);
    }

    @Override
    public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        host.onLoginFailed(server, refusal, step);
    }

    @Override
    public void onDismissed(ServerConnection server) {
        host.onDismissed(server);
    }

    @Override
    public void onClosed(ServerConnection server) {
        limits.forEach(Permits::giveBack);
        for (Permits limit : limits) {
            if (limit.isWantedSince(sinceNanos)) {
                limit.sharers().forEach(pool -> pool.loop().execute(pool::seekServers));
            }
        }
        host.onClosed(server);
    }
}
