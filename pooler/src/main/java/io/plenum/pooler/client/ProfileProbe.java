package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.link.SettingsReplay;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.error.ErrorResponse;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Learns a {@link SessionProfile} from a server: sets what the client asked for, and notes what the server reports.
 *
 * <p>So a startup parameter that PostgreSQL refuses is refused at login, by PostgreSQL's own words. Confined to its event
 * loop.
 */
final class ProfileProbe implements WaitQueue.Waiter, ServerConnection.Reader {
    /** Who wants to know. */
    interface Asker {
        void onProfile(SessionProfile profile);

        void onProfileRefused(ErrorResponse error);
    }

    private final PoolGroup group;
    private final SessionSettings asked;
    private final Asker asker;
    private final WaitQueue.Place place = new WaitQueue.Place(this);
    private final Map<String, String> reported = new LinkedHashMap<>();
    private @Nullable Pool pool;
    private @Nullable ServerConnection server;
    private @Nullable ErrorResponse refused;
    private boolean over;
    private final long bornNanos = System.nanoTime();

    ProfileProbe(PoolGroup group, SessionSettings asked, Asker asker) {
        this.group = group;
        this.asked = asked;
        this.asker = asker;
    }

    void start(long nowNanos) {
        Pool from = group.forWrite();
        if (from == null || from.isPaused()) {
            Pool replica = group.forRead(0); // logins go on while there is no primary
            from = replica == null ? from : replica;
        }
        pool = from;
        if (from == null) {
            group.awaitPrimary(place, nowNanos);
            return;
        }
        ServerConnection idle = from.take(nowNanos);
        if (idle == null) {
            from.await(place, nowNanos);
        } else {
            onServer(idle);
        }
    }

    /** For how long the asker has waited. */
    long waited(long nowNanos) {
        return nowNanos - bornNanos;
    }

    /** The asker is gone. */
    void stop() {
        over = true;
        place.leave();
    }

    @Override
    public void onServer(ServerConnection server) {
        this.server = server;
        reported.putAll(server.startValues());
        server.attach(this);
        SessionSettings actual = server.settings();
        reported.replaceAll((name, value) -> { // what it has already it does not report again
            String now = actual.get(name);
            return now == null ? value : now;
        });
        if (actual.equals(asked) || isConsole(server)) {
            onBatchEnd();
            return;
        }
        SettingsReplay.send(server, actual, asked, null);
        server.outbox().flush();
    }

    @Override
    public void onTrouble(@Nullable ErrorResponse refusal) {
        long since = place.sinceNanos();
        place.leave();
        if (refusal != null && refusal.isFatal() && LoginRetry.isLasting(refusal)) {
            over = true;
            asker.onProfileRefused(refusal);
        } else {
            start(since);
        }
    }

    @Override
    public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
        refused = error;
        return false;
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        refused = error;
        return false;
    }

    @Override
    public boolean onParameter(String name, String value) {
        reported.put(name, value);
        return false;
    }

    @Override
    public void onBatchEnd() {
        ServerConnection used = server;
        Pool home = pool;
        if (used == null || home == null || !used.replies().isEmpty()) {
            return;
        }
        SessionSettings now = refused != null || isConsole(used) ? SessionSettings.NONE : withReportedSpelling();
        server = null;
        used.detach();
        if (refused != null) {
            used.close(); // which of the settings were taken is not known
        } else {
            used.assumeSettings(now);
        }
        home.releaseUnused(used);
        finish(now);
    }

    /** The console of a pooler, ours or PgBouncer's, has no settings: a database may lead there, for tools that watch. */
    private static boolean isConsole(ServerConnection server) {
        String version = server.startValues().get("server_version");
        return version != null && version.endsWith("/bouncer");
    }

    private void finish(SessionSettings settings) {
        if (over) {
            return;
        }
        over = true;
        if (refused != null) {
            asker.onProfileRefused(refused);
        } else {
            asker.onProfile(new SessionProfile(settings, Collections.unmodifiableMap(new LinkedHashMap<>(reported))));
        }
    }

    private SessionSettings withReportedSpelling() {
        SessionSettings spelled = asked;
        for (Map.Entry<String, String> entry : reported.entrySet()) {
            if (spelled.get(entry.getKey()) != null) {
                spelled = spelled.with(entry.getKey(), entry.getValue());
            }
        }
        return spelled;
    }

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        ServerConnection used = server;
        Pool home = pool;
        if (used != null && home != null) {
            server = null;
            used.detach();
            home.release(used);
        }
        if (!over) {
            start(System.nanoTime());
        }
    }
}
