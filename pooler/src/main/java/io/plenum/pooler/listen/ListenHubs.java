package io.plenum.pooler.listen;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.ServerConnector;
import io.plenum.pooler.pool.TopologySource;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The hubs of the process, one for each database and user that listened and is still used. Any thread. */
public final class ListenHubs implements AutoCloseable {
    /** How long a connection outlives its last channel: whoever reconnects and listens again finds it open. */
    public static final Duration GRACE = Duration.ofSeconds(30);

    private final Function<DatabaseConfig, TopologySource> topologies;
    private final ServerConnector connector;
    private final Duration grace;
    private final Map<Name, ListenHub> hubs = new LinkedHashMap<>(); // guarded by this

    /** The same, for whoever asks without waiting. */
    private volatile List<ListenHub> all = List.of();

    private record Name(String database, String user) {}

    public ListenHubs(Function<DatabaseConfig, TopologySource> topologies, ServerConnector connector, Duration grace) {
        this.topologies = topologies;
        this.connector = connector;
        this.grace = grace;
    }

    /**
     * The hub of a database for a user; made at the first call, on the caller's loop. Only for users who have proved who they
     * are. It costs a server connection only while somebody listens.
     */
    public synchronized ListenHub hub(DatabaseConfig database, String user, Loop loop) {
        var name = new Name(database.name(), user);
        ListenHub known = hubs.get(name);
        if (known != null) {
            return known;
        }
        var made = new ListenHub(database, user, loop, topologies, connector, grace);
        hubs.put(name, made);
        all = List.copyOf(hubs.values());
        return made;
    }

    /** Nobody uses the database any more. */
    public synchronized void forget(String database) {
        hubs.entrySet().removeIf(entry -> {
            boolean unused = entry.getKey().database().equals(database);
            if (unused) {
                entry.getValue().close();
            }
            return unused;
        });
        all = List.copyOf(hubs.values());
    }

    /** Whether a client has subscribed to a channel of the database. */
    public boolean isAnybodyListening(String database) {
        for (ListenHub hub : all) {
            if (hub.isSubscribed() && hub.database().equals(database)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Has {@code done} run on the client's loop once everything that was notified in the database by transactions committed
     * before this call has been handed to the loops of who listens to it, as {@link ListenHub#barrier} does; at once where
     * nobody listens.
     */
    public void barrier(String database, Loop clientLoop, Runnable done) {
        List<ListenHub> heard = all.stream()
                .filter(hub -> hub.isSubscribed() && hub.database().equals(database))
                .toList();
        if (heard.isEmpty()) {
            done.run();
            return;
        }
        var last = new Runnable() {
            private int left = heard.size();

            @Override
            public void run() {
                left--;
                if (left == 0) {
                    done.run();
                }
            }
        };
        heard.forEach(hub -> hub.barrier(clientLoop, last));
    }

    /** All that there are. */
    public Collection<ListenHub> hubs() {
        return all;
    }

    /** Ends all connections and waits for none. */
    @Override
    public void close() {
        hubs().forEach(ListenHub::close);
    }
}
