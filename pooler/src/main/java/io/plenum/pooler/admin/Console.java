package io.plenum.pooler.admin;

import io.plenum.pooler.admin.ShowTable.Standing;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.admin.Verb.Right;
import io.plenum.pooler.catalog.Catalogs;
import io.plenum.pooler.catalog.DatabaseCatalog;
import io.plenum.pooler.client.Admission;
import io.plenum.pooler.client.ClientConnection;
import io.plenum.pooler.client.ConsoleSession;
import io.plenum.pooler.client.LoopClients;
import io.plenum.pooler.client.ServerRenewal;
import io.plenum.pooler.config.AuthType;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.Fault;
import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Setting;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.discovery.LookUps;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.link.StatementCache;
import io.plenum.pooler.metrics.Census;
import io.plenum.pooler.metrics.History;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.peer.PeerFacts;
import io.plenum.pooler.peer.Peers;
import io.plenum.pooler.pool.LoopPools;
import io.plenum.pooler.pool.Pause;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Catalog;
import io.plenum.wire.AsciiCase;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs the console's commands, for all of its sessions. Any thread. */
public final class Console implements ConsoleSession.Factory {
    private static final Logger LOG = LoggerFactory.getLogger(Console.class);

    /** What PgBouncer's console says to whatever it does not do: scripts look for it. */
    static final SqlState REFUSED = SqlState.PROTOCOL_VIOLATION;

    /** SHOW PREPARED_STATEMENTS has so many rows at most. */
    private static final int MOST_STATEMENTS = 10_000;

    /** How often it is asked whether what PAUSE and WAIT_CLOSE wait for has come. */
    private static final long LOOK_AGAIN_MILLIS = 10;

    private final String version;
    private final Controls controls;
    private final Census.Taker census;
    private final History history;
    private final Admission admission;
    private final List<LoopPools> pools;
    private final List<LoopClients> clients;
    private final Peers peers;
    private final StatementCache statements;
    private final Catalogs catalogs;
    private final ServerRenewal renewal;
    private final Supplier<LookUps> lookUps;
    private final Loop control;
    private final AtomicLong commands = new AtomicLong();
    private final AtomicLong logins = new AtomicLong();

    /** Databases that a KILL of all has paused, and nobody has resumed since. */
    private final Set<String> killed = ConcurrentHashMap.newKeySet();

    private volatile @Nullable Patience suspender;

    /** Both lists in the order of the loops; they may still grow until the first session. */
    public Console(
            String version,
            Controls controls,
            Census.Taker census,
            History history,
            Admission admission,
            List<LoopPools> pools,
            List<LoopClients> clients,
            Peers peers,
            StatementCache statements,
            Catalogs catalogs,
            ServerRenewal renewal,
            Supplier<LookUps> lookUps,
            Loop control) {
        this.version = version;
        this.controls = controls;
        this.census = census;
        this.history = history;
        this.admission = admission;
        this.pools = pools;
        this.clients = clients;
        this.peers = peers;
        this.statements = statements;
        this.catalogs = catalogs;
        this.renewal = renewal;
        this.lookUps = lookUps;
        this.control = control;
    }

    /** Who waits for an answer that may take long. */
    interface Patience {
        /** The user wants no answer any more. */
        boolean isCanceled();

        /** There is nobody any more who could want one. */
        boolean isGone();
    }

    @Override
    public boolean isConsole(String database) {
        return ShowTables.CONSOLE_NAMES.contains(database);
    }

    @Override
    public @Nullable ConsoleSession open(ClientConnection client, String user, boolean owner) {
        if (!owner && rightOf(user) == null) {
            return null;
        }
        logins.incrementAndGet();
        return new SqlSession(this, client, user, owner);
    }

    /** What SHOW VERSION and {@code --version} say of this Plenum: first whose programs and scripts it stands in for. */
    public static String title(String version) {
        return "PgBouncer " + ShowTables.PGBOUNCER_VERSION + " (Plenum " + version + ")";
    }

    /** What the user may do now: a reload may have changed it since the login. Null is nothing. */
    private @Nullable Right rightOf(String user) {
        PoolerConfig config = controls.config();
        if (config.get(Settings.AUTH_TYPE) == AuthType.ANY
                || config.get(Settings.ADMIN_USERS).contains(user)) {
            return Right.ADMIN;
        }
        return config.get(Settings.STATS_USERS).contains(user) ? Right.READ : null;
    }

    /** Runs a command if the user may; the one way to all of them. Completes on any thread. */
    CompletionStage<Answer> run(Command command, String user, boolean owner, Patience patience) {
        commands.incrementAndGet();
        Verb verb = command.verb();
        Right right = owner ? Right.ADMIN : rightOf(user);
        if (right == null || !right.suffices(command.right())) {
            return refused("admin access needed");
        }
        if (verb.right() == Right.ADMIN) {
            LOG.info("event=console user={} command={} argument={}", user, verb, command.name());
        }
        return takesDatabase(verb) ? runOnDatabase(command, patience) : execute(command, patience);
    }

    /** Runs a command that takes a database, of somebody who may. */
    CompletionStage<Answer> runOnDatabase(Command command, Patience patience) {
        Verb verb = command.verb();
        String database = command.name();
        if (isConsole(database)) {
            String what = verb == Verb.WAIT_CLOSE ? "wait in" : AsciiCase.lower(verb.name());
            return refused("cannot %s admin db: %s".formatted(what, database));
        }
        if (!database.isEmpty() && controls.config().database(database) == null) {
            return refused("no such database: " + database);
        }
        return execute(command, patience);
    }

    private static boolean takesDatabase(Verb verb) {
        return verb.form() == Verb.Form.DATABASE || verb.form() == Verb.Form.OPTIONAL_DATABASE;
    }

    private CompletionStage<Answer> execute(Command command, Patience patience) {
        String name = command.name();
        return switch (command.verb()) {
            case SHOW, SELECT -> show(command);
            case EXPLAIN_ROUTE -> explainRoute(command);
            case SESSION -> now(new Answer.Done(command.name(), null));
            case HELP -> now(new Answer.Done(command.verb().tag(), help()));
            case SESSION_SET ->
                now(new Answer.Done(
                        command.verb().tag(), ErrorResponse.notice(SqlState.SUCCESSFUL_COMPLETION, "SET ignored")));
            case SET -> set(command);
            case RELOAD ->
                controls.reload()
                        .thenApply(result -> loaded(
                                result,
                                command,
                                SqlState.CONFIG_FILE_ERROR,
                                "RELOAD failed, see logs for additional details"));
            case PAUSE -> pause(command, patience);
            case SUSPEND -> suspend(command, patience);
            case RESUME -> resume(command);
            case DISABLE -> {
                admission.setDisabled(name, true);
                yield done(command);
            }
            case ENABLE -> {
                admission.setDisabled(name, false);
                yield done(command);
            }
            case RECONNECT ->
                onEachLoop(of -> {
                            of.groups(name).forEach(Console::renew);
                            return true;
                        })
                        .thenApply(all -> {
                            renewal.forgetLearnt();
                            return Answer.Done.of(command);
                        });
            case WAIT_CLOSE -> waitUntil(of -> noneIsToClose(of, name), command, patience, () -> true, () -> {});
            case KILL -> kill(command);
            case KILL_CLIENT -> killClient(command);
            case SHUTDOWN -> {
                controls.stopNow();
                yield now(new Answer.Silence());
            }
            case SHUTDOWN_WAIT_FOR_SERVERS -> {
                controls.stopWhenServersAreFree();
                yield done(command);
            }
            case SHUTDOWN_WAIT_FOR_CLIENTS -> {
                controls.stopWhenClientsHaveLeft();
                yield done(command);
            }
        };
    }

    private CompletionStage<Answer> show(Command command) {
        ShowTable table = command.table();
        if (table == null) {
            throw new IllegalStateException("SHOW without a table");
        }
        return census.take(table.depth())
                .thenCombine(
                        OnLoop.call(control, peers::facts),
                        (taken, peerPools) -> new View(taken, controls.config(), history, standing(peerPools)))
                .thenApply(
                        view -> new Answer.Rows(table, table.rows().apply(view).toList()));
    }

    private CompletionStage<Answer> explainRoute(Command command) {
        PoolerConfig config = controls.config();
        List<DatabaseConfig> databases = List.copyOf(config.databases());
        DatabaseConfig database = command.name().isEmpty()
                ? databases.size() == 1 ? databases.getFirst() : null
                : config.database(command.name());
        if (database == null && !command.name().isEmpty()) {
            return refused("no such database: " + command.name());
        }
        DatabaseCatalog names = database == null ? null : catalogs.find(database.name());
        Catalog catalog = names != null ? names.snapshot() : database == null ? Catalog.OFF : Catalog.AWAITED;
        var holding = database == null
                ? null
                : new ExplainRoute.Holding(
                        controls.topology(database), controls.pauseOf(database.name()), controls.isSuspended());
        return now(new Answer.Rows(
                ExplainRoute.TABLE,
                List.of(ExplainRoute.explain(config, database, catalog, holding, command.value()))));
    }

    private Standing standing(List<PeerFacts> peerPools) {
        return new Standing(
                version,
                controls.isPaused(""),
                controls.isSuspended(),
                controls::isPaused,
                admission::isDisabled,
                admission.consoles(),
                commands.get(),
                logins.get(),
                peers.known(),
                peerPools,
                lookUps.get(),
                () -> statements.latest(MOST_STATEMENTS));
    }

    private static ErrorResponse help() {
        StringBuilder lines = new StringBuilder();
        for (boolean own : new boolean[] {false, true}) {
            lines.append("\n\tSHOW ")
                    .append(ShowTables.all().stream()
                            .filter(table -> table.own() == own && table.word().equals(AsciiCase.upper(table.word())))
                            .map(ShowTable::word)
                            .collect(Collectors.joining("|")));
        }
        for (Verb verb : Verb.values()) {
            if (verb.right() == Right.ADMIN || verb == Verb.HELP) {
                lines.append("\n\t").append(verb.usage());
            }
        }
        return ErrorResponse.notice(SqlState.SUCCESSFUL_COMPLETION, "Console usage")
                .detail(lines.toString());
    }

    private CompletionStage<Answer> set(Command command) {
        return controls.set(command.name(), command.value())
                .thenApply(result -> result instanceof LoadResult.Loaded(PoolerConfig changed)
                        ? new Answer.Done(
                                "SET " + command.name() + "=" + command.value(), troubleOfTls(command, changed))
                        : loaded(result, command, REFUSED, "SET failed"));
    }

    /** Key, certificate and mode come one by one, so that one which does not fit yet is no error, as in PgBouncer. */
    private static @Nullable ErrorResponse troubleOfTls(Command command, PoolerConfig changed) {
        Setting<?> setting = Settings.find(command.name());
        List<Fault> told = changed.warnings();
        return setting == null || setting.group() != Setting.Group.TLS || told.isEmpty()
                ? null
                : ErrorResponse.notice(
                                SqlState.SUCCESSFUL_COMPLETION,
                                "TLS settings could not be applied, still using old configuration")
                        .detail(String.valueOf(told.getFirst()));
    }

    private static Answer loaded(LoadResult result, Command command, SqlState state, String failure) {
        return switch (result) {
            case LoadResult.Loaded _ -> Answer.Done.of(command);
            case LoadResult.Refused refused ->
                new Answer.Refused(ErrorResponse.error(state, failure).detail(refused.text()));
        };
    }

    private CompletionStage<Answer> pause(Command command, Patience patience) {
        String database = command.name();
        if (isStopped()) {
            return alreadyStopped();
        }
        controls.pause(database, Pause.PRIMARY, command.longest());
        return waitUntil(
                of -> of.groups(database).stream().allMatch(PoolGroup::isQuiet),
                command,
                patience,
                () -> controls.isPaused(database),
                () -> controls.resume(database));
    }

    private boolean isStopped() {
        return controls.isPaused("") || controls.isSuspended();
    }

    private CompletionStage<Answer> alreadyStopped() {
        return refused(controls.isSuspended() ? "already suspended" : "already paused");
    }

    private CompletionStage<Answer> suspend(Command command, Patience patience) {
        if (isStopped()) {
            return alreadyStopped();
        }
        if (controls.config().databases().stream().anyMatch(database -> controls.isPaused(database.name()))) {
            return refused("cannot suspend with paused databases");
        }
        controls.suspend();
        suspender = patience;
        long limit = controls.config().get(Settings.SUSPEND_TIMEOUT).toNanos();
        long began = System.nanoTime();
        return waitUntil(
                of -> System.nanoTime() - began > limit
                        || clients.get(of.loop().index()).isFlushed(),
                command,
                patience,
                controls::isSuspended,
                controls::endSuspend);
    }

    /** The session is over; nobody would be left who knows of its SUSPEND. */
    void onGone(Patience patience) {
        if (patience == suspender && controls.isSuspended()) {
            LOG.warn("event=resume reason=\"the session that said SUSPEND is gone\"");
            controls.endSuspend();
        }
    }

    private CompletionStage<Answer> resume(Command command) {
        String database = command.name();
        if (database.isEmpty() && admission.isRefusing()) {
            return refused("pooler is shutting down");
        }
        if (database.isEmpty() && controls.isSuspended()) {
            controls.endSuspend();
            return done(command);
        }
        if (controls.isPaused(database)) {
            controls.resume(database);
            return done(command);
        }
        if (!database.isEmpty()) {
            return refused("database %s is not paused".formatted(database));
        }
        List<String> resumed = List.copyOf(killed);
        resumed.stream().filter(controls::isPaused).forEach(controls::resume);
        killed.clear();
        return resumed.isEmpty() ? refused("pooler is not paused") : done(command);
    }

    private static void renew(PoolGroup group) {
        group.pools().forEach(pool -> pool.renew());
    }

    private static boolean noneIsToClose(LoopPools of, String database) {
        return of.groups(database).stream()
                .flatMap(group -> group.pools().stream())
                .flatMap(pool -> pool.servers().stream())
                .noneMatch(ServerConnection::isCloseWhenReleased);
    }

    /** Without a database it is meant for each that is in use: one that is used later begins anew. */
    private CompletionStage<Answer> kill(Command command) {
        String database = command.name();
        if (isStopped()) {
            return alreadyStopped();
        }
        if (!database.isEmpty()) {
            controls.pause(database, Pause.ALL, Duration.ZERO);
            return onEachLoop(of -> kill(of, database)).thenApply(all -> Answer.Done.of(command));
        }
        return onEachLoop(of -> of.groups("").stream().map(PoolGroup::database).toList())
                .thenCompose(found -> {
                    found.stream().flatMap(List::stream).distinct().forEach(name -> {
                        killed.add(name);
                        controls.pause(name, Pause.ALL, Duration.ZERO);
                    });
                    return onEachLoop(of -> kill(of, ""));
                })
                .thenApply(all -> Answer.Done.of(command));
    }

    private boolean kill(LoopPools of, String database) {
        for (ClientConnection client :
                List.copyOf(clients.get(of.loop().index()).clients())) {
            boolean meant = client.state() != ClientConnection.State.CONSOLE
                    && (database.isEmpty() || client.database().equals(database));
            if (meant) {
                client.fail(PoolerErrors.killed());
            }
        }
        of.groups(database).forEach(group -> group.pools().forEach(pool -> pool.kill()));
        return true;
    }

    private CompletionStage<Answer> killClient(Command command) {
        long id = Long.parseLong(command.name());
        return onEachLoop(of -> {
                    ClientConnection client = clients.get(of.loop().index()).byId(id);
                    boolean there = client != null && !client.isLeaving();
                    if (client != null && there) {
                        client.fail(PoolerErrors.killed());
                    }
                    return there;
                })
                .thenApply(found -> found.contains(true)
                        ? Answer.Done.of(command)
                        : new Answer.Refused(ErrorResponse.error(REFUSED, "client not found")));
    }

    // --- waiting ---------------------------------------------------------------------------------------------------

    /**
     * Answers when the condition holds on every loop, or with an error when it does not and is no longer {@code awaited};
     * {@code undo} runs when the user gives up before.
     */
    private CompletionStage<Answer> waitUntil(
            Predicate<LoopPools> condition,
            Command command,
            Patience patience,
            BooleanSupplier awaited,
            Runnable undo) {
        var answer = new CompletableFuture<Answer>();
        look(condition, command, patience, awaited, undo, answer);
        return answer;
    }

    private void look(
            Predicate<LoopPools> condition,
            Command command,
            Patience patience,
            BooleanSupplier awaited,
            Runnable undo,
            CompletableFuture<Answer> answer) {
        var _ = onEachLoop(condition::test).whenComplete((held, failure) -> {
            if (held == null) {
                answer.completeExceptionally(failure);
            } else if (!held.contains(false)) {
                answer.complete(Answer.Done.of(command));
            } else if (patience.isCanceled()) {
                undo.run();
                answer.complete(new Answer.Refused(
                        ErrorResponse.error(SqlState.QUERY_CANCELED, "canceling statement due to user request")));
            } else if (!awaited.getAsBoolean()) {
                answer.complete(new Answer.Refused(
                        ErrorResponse.error(SqlState.QUERY_CANCELED, "the pause ended before all transactions had")));
            } else if (patience.isGone()) {
                answer.complete(new Answer.Silence());
            } else {
                var _ = control.executor()
                        .schedule(
                                () -> look(condition, command, patience, awaited, undo, answer),
                                LOOK_AGAIN_MILLIS,
                                TimeUnit.MILLISECONDS);
            }
        });
    }

    private <T> CompletionStage<List<T>> onEachLoop(Function<LoopPools, T> task) {
        List<CompletableFuture<T>> answers = new ArrayList<>();
        for (LoopPools of : pools) {
            answers.add(OnLoop.call(of.loop(), () -> task.apply(of)));
        }
        return OnLoop.all(answers);
    }

    private static CompletionStage<Answer> now(Answer answer) {
        return CompletableFuture.completedStage(answer);
    }

    private static CompletionStage<Answer> done(Command command) {
        return now(Answer.Done.of(command));
    }

    private static CompletionStage<Answer> refused(String message) {
        return now(new Answer.Refused(ErrorResponse.error(REFUSED, message)));
    }
}
