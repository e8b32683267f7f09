package io.plenum.pooler.auth;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.config.UserList;
import io.plenum.wire.error.ErrorResponse;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Where a user's secret comes from: {@code auth_file}, else {@code auth_query}. Any thread. */
public final class SecretSource {
    /** PgBouncer's and PostgreSQL's names are no longer; a stranger's is not looked up, and nobody's is. */
    private static final int LONGEST_USER = 127;

    /** Users who have logged in last and are looked up first, whoever else fails at their address. */
    private static final int MOST_PROVEN = 10_000;

    private static final String NO_USER = "no such user: ";

    private final AuthQueries queries;
    private final Predicate<String> console;
    private final Predicate<String> disabled;
    private final Map<String, Boolean> proven = Collections.synchronizedMap(new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MOST_PROVEN;
        }
    });

    /** What is known of a user; {@code askedFor} says that it was {@code auth_query} that was asked. */
    sealed interface Found {
        /** There is such a user; no password fits one without a secret. */
        record User(@Nullable Secret secret, boolean askedFor) implements Found {}

        /** {@code cause} is for the log. */
        record Nobody(boolean askedFor, String cause) implements Found {}

        /** It cannot be known. */
        record Broken(Refusal refusal) implements Found {
            @Override
            public boolean askedFor() {
                return true;
            }
        }

        boolean askedFor();
    }

    /**
     * @param console whether a name is that of the console
     * @param disabled whether a database has been disabled on the console
     */
    public SecretSource(AuthQueries queries, Predicate<String> console, Predicate<String> disabled) {
        this.queries = queries;
        this.console = console;
        this.disabled = disabled;
    }

    /**
     * Looks the user up and tells {@code done}: at once, or later by {@code loop}.
     *
     * @param users those of {@code auth_file}
     * @param suspect asked when the name is one that has not logged in before: whether its place is suspect
     */
    void find(LoginRequest request, UserList users, BooleanSupplier suspect, Executor loop, Consumer<Found> done) {
        PoolerConfig config = request.config();
        DatabaseConfig entry = request.entry();
        String own = entry == null ? null : entry.authUser();
        String authUser = own == null || own.isEmpty() ? config.get(Settings.AUTH_USER) : own;
        boolean possible = entry != null || request.console(); // not for a database that does not exist
        if (users.knows(request.user())) { // no sooner, for nobody comes this way too
            done.accept(new Found.User(users.secret(request.user()), false));
            return;
        }
        if (authUser.isEmpty() || !possible || request.user().length() > LONGEST_USER) {
            done.accept(new Found.Nobody(false, NO_USER + request.user()));
            return;
        }
        DatabaseConfig where = entry;
        String name = entry == null ? config.get(Settings.AUTH_DBNAME) : config.get(Settings.AUTH_DBNAME, entry);
        if (!name.isEmpty()) {
            where = console.test(name) ? null : config.database(name);
            if (where == null && !console.test(name)) {
                done.accept(broken("authentication database \"" + name + "\" is not configured."));
                return;
            }
        }
        if (where == null) {
            done.accept(broken("cannot use the reserved \"pgbouncer\" database as an auth_dbname"));
            return;
        }
        if (disabled.test(where.name())) {
            done.accept(new Found.Broken(Refusal.disabled(where.name())));
            return;
        }
        String query = entry == null ? config.get(Settings.AUTH_QUERY) : config.get(Settings.AUTH_QUERY, entry);
        AuthQueries.Urgency urgency = AuthQueries.Urgency.KNOWN;
        if (!proven.containsKey(request.user())) {
            urgency = suspect.getAsBoolean() ? AuthQueries.Urgency.SUSPECT : AuthQueries.Urgency.NEW;
        }
        queries.ask(
                new AuthQueries.Question(where, authUser, query, request.user()),
                urgency,
                answer -> loop.execute(() -> done.accept(found(request.user(), answer))));
    }

    private static Found found(String user, AuthQueries.Answer answer) {
        return switch (answer) {
            case AuthQueries.Answer.User(Secret secret) -> new Found.User(secret, true);
            case AuthQueries.Answer.Nobody() -> new Found.Nobody(true, NO_USER + user);
            case AuthQueries.Answer.NotAsked() ->
                new Found.Nobody(true, "not looked up, for too many logins fail at the client's address");
            case AuthQueries.Answer.Wrong(String reason, ErrorResponse shown) ->
                shown == null ? broken(reason) : new Found.Broken(Refusal.passedOn(reason, shown));
            case AuthQueries.Answer.Away(String reason) -> new Found.Broken(Refusal.unavailable(reason));
        };
    }

    private static Found broken(String reason) {
        return new Found.Broken(Refusal.configuration(reason));
    }

    /**
     * The user exists: its next look-ups go before those of names that nobody has seen yet.
     *
     * @return whether it is one who must be looked up
     */
    boolean onSuccess(LoginRequest request, UserList users) {
        boolean askedFor = !users.knows(request.user());
        if (askedFor) {
            proven.put(request.user(), true);
        }
        return askedFor;
    }
}
