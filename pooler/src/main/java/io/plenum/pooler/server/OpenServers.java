package io.plenum.pooler.server;

import io.plenum.pooler.net.Loop;
import java.net.SocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * All server connections that there are, whoever owns them, for whoever must have some of them ended; and the databases that
 * are to be left alone for a while. Any thread.
 */
public final class OpenServers {
    /** More databases are not claimed at once: whoever claims them names them. */
    private static final int MOST_CLAIMS = 100;

    private final Set<ServerConnection> all = ConcurrentHashMap.newKeySet();
    private final Map<Place, Long> claims = new ConcurrentHashMap<>();

    /**
     * One database of one node.
     *
     * @param database the name on the server
     */
    public record Place(SocketAddress address, String database) {
        public boolean isOf(ServerTarget target) {
            return database.equals(target.database()) && address.equals(target.address());
        }
    }

    /** One more, from before it connects; {@link #leave} must follow. */
    public void enter(ServerConnection server) {
        all.add(server);
    }

    public void leave(ServerConnection server) {
        all.remove(server);
    }

    /**
     * Of those that are meant pools give none to anybody when this returns; those that nothing runs on end a little later. WAL
     * senders stay, for each belongs to a client.
     */
    public void dismiss(Predicate<ServerTarget> meant) {
        for (ServerConnection server : all) {
            if (!server.target().isWalSender() && meant.test(server.target())) {
                server.setCloseWhenReleased();
                tellOwner(server);
            }
        }
    }

    private static void tellOwner(ServerConnection server) {
        Loop loop = server.loop();
        loop.executeLater(() -> {
            if (server.loop() != loop) {
                tellOwner(server); // it has moved
            } else if (!server.isClosed()) {
                server.owner().onDismissed(server);
            }
        });
    }

    /** Until then nobody shall connect to the database who need not; says whether it was not claimed before. */
    public boolean claim(Place place, long untilNanos) {
        return claims.size() < MOST_CLAIMS && claims.put(place, untilNanos) == null;
    }

    /** Whether that time is still to come; one that is over is forgotten. */
    public boolean isClaimed(Place place) {
        Long untilNanos = claims.get(place);
        boolean claimed = untilNanos != null && System.nanoTime() - untilNanos < 0;
        if (untilNanos != null && !claimed) {
            claims.remove(place, untilNanos);
        }
        return claimed;
    }

    /** Whether a database of this name is claimed on any node. */
    public boolean isClaimed(String database) {
        return !claims.isEmpty()
                && claims.keySet().stream().anyMatch(place -> place.database().equals(database) && isClaimed(place));
    }
}
