package io.plenum.pooler.auth;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.routing.topology.Node;
import io.plenum.wire.error.ErrorResponse;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs {@code auth_query}, on connections that do nothing else, for users whom {@code auth_file} does not know.
 *
 * <p>Nothing is remembered of an answer: a password that was changed or has expired counts from the next login on. Logins
 * of one user that come together share one query, and only one that was not sent before they came. {@link #ask} from any
 * thread; all else is confined to the control loop.
 */
public final class AuthQueries implements AutoCloseable {
    private static final long TICK_MILLIS = 100;

    /** So often at most is asked for a name that nobody knows yet, from a place where many logins fail. */
    private static final long SUSPECT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Different databases, users and queries' paths that are asked at once: with {@code *}, strangers name databases. */
    private static final int MOST_DATABASES = 1_000;

    /** Opens a connection that belongs to no pool. */
    public interface Opener {
        ServerConnection connect(Loop loop, ServerTarget target, ServerConnection.Owner owner);
    }

    /**
     * What is asked.
     *
     * @param database where
     * @param authUser as whom
     * @param user the query's only parameter
     */
    record Question(DatabaseConfig database, String authUser, String query, String user) {}

    /** Who is asked for, from the first to the last. */
    enum Urgency {
        /** Somebody who has logged in before. */
        KNOWN,
        NEW,
        /** A name that nobody knows yet, from a place where many logins fail. */
        SUSPECT
    }

    /** What came of it. */
    sealed interface Answer {
        /** There is such a user; no password fits one without a secret. */
        record User(@Nullable Secret secret) implements Answer {}

        record Nobody() implements Answer {}

        /** It was not asked, for too much is asked from a place where logins fail; answered as if there were nobody. */
        record NotAsked() implements Answer {}

        /**
         * PostgreSQL refused, or answered something else than a user: it is no use to try again before something changes.
         *
         * @param shown what the client may hear of it; null is nothing
         */
        record Wrong(String reason, @Nullable ErrorResponse shown) implements Answer {
            Wrong(String reason) {
                this(reason, null);
            }
        }

        /** No answer came in time, or too many ask. */
        record Away(String reason) implements Answer {}
    }

    private final Supplier<PoolerConfig> config;
    private final Function<DatabaseConfig, TopologySource> topologies;
    private final Opener opener;
    private final Credentials credentials;
    private final Loop control;
    private final Map<Place, AuthDatabase> databases = new LinkedHashMap<>();
    private final Set<TopologySource> followed = Collections.newSetFromMap(new IdentityHashMap<>());
    private long nextSuspectNanos = System.nanoTime();
    private boolean ticking;
    private boolean closed;

    /** Connections that serve the same questions. */
    private record Place(String database, String authUser, boolean ownPath) {}

    public AuthQueries(
            Supplier<PoolerConfig> config,
            Function<DatabaseConfig, TopologySource> topologies,
            Opener opener,
            Credentials credentials,
            Loop control) {
        this.config = config;
        this.topologies = topologies;
        this.opener = opener;
        this.credentials = credentials;
        this.control = control;
    }

    /** Any thread: {@code done} hears the answer once, on the control loop. Suspects are asked for now and then only. */
    void ask(Question question, Urgency urgency, Consumer<Answer> done) {
        control.execute(() -> askOnLoop(question, urgency, done));
    }

    private void askOnLoop(Question question, Urgency urgency, Consumer<Answer> done) {
        if (closed) {
            done.accept(new Answer.Away("the pooler ends"));
            return;
        }
        long now = System.nanoTime();
        if (urgency == Urgency.SUSPECT) {
            if (now - nextSuspectNanos < 0) {
                done.accept(new Answer.NotAsked()); // at once, as an answer would come
                return;
            }
            nextSuspectNanos = now + SUSPECT_NANOS;
        }
        boolean ownPath = !question.query().equals(Settings.AUTH_QUERY.defaultValue());
        var place = new Place(question.database().name(), question.authUser(), ownPath);
        AuthDatabase database = databases.get(place);
        if (database == null) {
            if (databases.size() >= MOST_DATABASES) {
                done.accept(new Answer.Away("auth_query is asked in too many databases at once"));
                return;
            }
            database = new AuthDatabase(
                    control,
                    follow(question),
                    (node, owner) -> connect(node, place, owner),
                    () -> config.get().get(Settings.SERVER_LOGIN_RETRY).toNanos());
            databases.put(place, database);
        }
        database.ask(question, urgency == Urgency.KNOWN, now, done);
        keepTicking();
    }

    /**
     * Where the nodes are known from. Names that only {@code *} stands for share what is known of it, for a stranger may
     * have made them up.
     */
    private TopologySource follow(Question question) {
        DatabaseConfig fallback = config.get().fallbackDatabase();
        boolean named = fallback == null || !question.database().autodb();
        TopologySource source = topologies.apply(fallback == null || named ? question.database() : fallback);
        if (named) {
            source.onClientUser(question.authUser());
        }
        if (followed.add(source)) {
            var _ = source.subscribe(
                    _ -> control.execute(() -> databases.values().forEach(AuthDatabase::pump)));
        }
        return source;
    }

    /**
     * The default query means pg_catalog's objects and no others. One of the operator's own may name a function of another
     * schema, so it finds what the auth_user finds: never what the client's parameters say.
     */
    private ServerConnection connect(Node node, Place place, ServerConnection.Owner owner) {
        PoolerConfig now = config.get();
        DatabaseConfig database = now.database(place.database());
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("application_name", "plenum auth_query");
        parameters.put("client_encoding", "UTF8");
        if (!place.ownPath()) {
            parameters.put("search_path", "pg_catalog");
        }
        return opener.connect(
                control,
                new ServerTarget(
                        node.address(),
                        database == null ? place.database() : database.dbname(),
                        place.authUser(),
                        database == null
                                ? credentials.of(now.userList().secret(place.authUser()), place.authUser())
                                : credentials.of(now, database, place.authUser()),
                        parameters,
                        null),
                owner);
    }

    private void keepTicking() {
        if (!ticking) {
            ticking = true;
            var _ = control.executor().schedule(this::tick, TICK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void tick() {
        ticking = false;
        long now = System.nanoTime();
        databases.values().removeIf(database -> {
            database.tick(now);
            return database.isOver(now);
        });
        if (!databases.isEmpty() && !closed) {
            keepTicking();
        }
    }

    /** Any thread: connections that are open with old settings are closed once they have answered. */
    public void configure() {
        control.execute(() -> databases.values().forEach(AuthDatabase::renew));
    }

    /** Ends all connections and waits for none. */
    @Override
    public void close() {
        control.execute(() -> {
            closed = true;
            databases.values().forEach(AuthDatabase::close);
            databases.clear();
        });
    }
}
