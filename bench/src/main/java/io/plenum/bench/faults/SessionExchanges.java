package io.plenum.bench.faults;

import io.plenum.bench.faults.Exchange.Step;
import io.plenum.testbed.Frames;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Makes exchanges that leave something in the session, and those that look whether it is there and nothing else is. Every value carries
 * the session's token, so whatever is found tells whose it is.
 *
 * <p>What an exchange changes counts from its answer on; one that fails has changed nothing, for what it did is rolled back. Confined to
 * the client's thread.
 */
final class SessionExchanges {
    /** What of a session lives in a function that no pooler looks into. */
    static final String SETUP = """
        CREATE OR REPLACE FUNCTION bench_hide(token text, key int, subkey int) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM set_config('app.hidden', token, false);
            PERFORM pg_advisory_lock(key, subkey);
            RETURN token;
        END $$\
        """;

    static final String WORK_MEM = "work_mem";
    private static final String APPLICATION_NAME = "application_name";
    private static final String APP_TOKEN = "app.token";
    private static final List<String> SETTINGS = List.of(APPLICATION_NAME, WORK_MEM, APP_TOKEN);
    private static final String OWN_SETTINGS_SQL =
            "SELECT current_setting('application_name'), current_setting('work_mem'),"
                    + " coalesce(current_setting('app.token', true), '')";

    /** Of a function's locks a client takes so many different ones: a server has room for some thousand in all. */
    private static final int HIDDEN_LOCKS = 4;

    private final String token;
    private final int client;
    private final RandomGenerator random;
    private final Map<String, String> start;
    private final Map<String, String> own;
    private final Semaphore pinPlaces;
    private final @Nullable Notifications notifications;
    private final Runnable forgetStatements;
    private final Tally tally;
    private int sequence;
    private boolean holdsPlace;

    /**
     * @param client its number, the first key of its advisory locks
     * @param startWorkMem what a new session has for work_mem
     * @param pinPlaces one is taken for as long as the session has something that must live in a server
     * @param notifications null for a client that does not listen
     * @param forgetStatements is told that the session's prepared statements are gone
     */
    SessionExchanges(
            String token,
            int client,
            RandomGenerator random,
            String startWorkMem,
            Semaphore pinPlaces,
            @Nullable Notifications notifications,
            Runnable forgetStatements,
            Tally tally) {
        this.token = token;
        this.client = client;
        this.random = random;
        this.start = Map.of(APPLICATION_NAME, "", WORK_MEM, startWorkMem, APP_TOKEN, "");
        this.own = new HashMap<>(start);
        this.pinPlaces = pinPlaces;
        this.notifications = notifications;
        this.forgetStatements = forgetStatements;
        this.tally = tally;
    }

    Exchange next() {
        return switch (random.nextInt(22)) {
            case 0, 1, 2, 3 -> ownSettings();
            case 4 -> set();
            case 5 -> setByFunction();
            case 6 -> setInTransaction();
            case 7 -> setAndRollBack();
            case 8 -> setAndRollBackToSavepoint();
            case 9 -> random.nextBoolean() ? setAndFail() : setLocally();
            case 10 -> random.nextBoolean() ? reset() : resetInTransaction();
            case 11 -> random.nextInt(4) == 0 ? resetAll() : ownSettings();
            case 12, 13 -> nothingOfOthers();
            case 14, 15 -> hide();
            case 16, 17 -> pin();
            default -> notification();
        };
    }

    /** An exchange is over, in whichever way, or the session is. */
    void onOver() {
        if (holdsPlace) {
            holdsPlace = false;
            pinPlaces.release();
        }
        if (notifications != null) {
            notifications.onRolledBack(); // unless it was committed, and then it does not mind
        }
    }

    // --- settings --------------------------------------------------------------------------------------------------

    Exchange ownSettings() {
        return Exchange.of("own settings", settingsAre(own, false)).then(tally.settings::increment);
    }

    private Exchange set() {
        var name = anySetting();
        var value = valueFor(name);
        return Exchange.of("SET", simple(setting(name, value), "SET")).then(() -> own.put(name, value));
    }

    private Exchange setByFunction() {
        var name = anySetting();
        var value = valueFor(name);
        return Exchange.of(
                        "set_config",
                        Step.of(
                                Frames.join(
                                        Frames.parse("", "SELECT set_config('%s', $1, false)".formatted(name)),
                                        Frames.bind("", "", value),
                                        Frames.execute(),
                                        Frames.sync()),
                                Group.of(
                                        Expected.type('1'),
                                        Expected.type('2'),
                                        Expected.row(value),
                                        Expected.complete("SELECT 1"))))
                .then(() -> own.put(name, value));
    }

    private Exchange setInTransaction() {
        var name = anySetting();
        var value = valueFor(name);
        return Exchange.of(
                        "SET in a transaction",
                        begin(),
                        inTransaction(setting(name, value), "SET"),
                        settingsAre(with(name, value), true),
                        simple("COMMIT", "COMMIT"))
                .then(() -> own.put(name, value));
    }

    private Exchange setAndRollBack() {
        var name = anySetting();
        var value = valueFor(name);
        return Exchange.of(
                        "SET rolled back",
                        begin(),
                        inTransaction(setting(name, value), "SET"),
                        settingsAre(with(name, value), true),
                        simple("ROLLBACK", "ROLLBACK"),
                        settingsAre(own, false))
                .then(tally.settings::increment);
    }

    private Exchange setAndRollBackToSavepoint() {
        var name = anySetting();
        var value = valueFor(name);
        var undone = valueFor(name);
        return Exchange.of(
                        "SET rolled back in part",
                        begin(),
                        inTransaction(setting(name, value), "SET"),
                        inTransaction("SAVEPOINT here", "SAVEPOINT"),
                        inTransaction(setting(name, undone), "SET"),
                        settingsAre(with(name, undone), true),
                        inTransaction("ROLLBACK TO here", "ROLLBACK"),
                        settingsAre(with(name, value), true),
                        simple("COMMIT", "COMMIT"))
                .then(() -> own.put(name, value));
    }

    private Exchange setAndFail() {
        var name = anySetting();
        return Exchange.of(
                        "SET before an error",
                        begin(),
                        inTransaction(setting(name, valueFor(name)), "SET"),
                        Step.of(
                                Frames.query("SELECT 1 / 0"),
                                Group.failing("22012").inTransaction()),
                        simple("COMMIT", "ROLLBACK"), // which is what PostgreSQL makes of it
                        settingsAre(own, false))
                .then(tally.settings::increment);
    }

    private Exchange setLocally() {
        var name = anySetting();
        var value = valueFor(name);
        return Exchange.of(
                        "SET LOCAL",
                        begin(),
                        inTransaction(setting(name, value).replace("SET ", "SET LOCAL "), "SET"),
                        settingsAre(with(name, value), true),
                        simple("COMMIT", "COMMIT"),
                        settingsAre(own, false))
                .then(tally.settings::increment);
    }

    private Exchange reset() {
        var name = anySetting();
        return Exchange.of("RESET", simple("RESET " + name, "RESET")).then(() -> own.put(name, startOf(name)));
    }

    private Exchange resetInTransaction() {
        var name = anySetting();
        return Exchange.of(
                        "RESET in a transaction",
                        begin(),
                        inTransaction("RESET " + name, "RESET"),
                        settingsAre(with(name, startOf(name)), true),
                        simple("COMMIT", "COMMIT"))
                .then(() -> own.put(name, startOf(name)));
    }

    private Exchange resetAll() {
        if (random.nextBoolean()) {
            return Exchange.of("RESET ALL", simple("RESET ALL", "RESET")).then(() -> own.putAll(start));
        }
        return Exchange.of("DISCARD ALL", simple("DISCARD ALL", "DISCARD ALL"))
                .endingWhenFailed() // not all of it is rolled back
                .then(() -> {
                    own.putAll(start);
                    forgetStatements.run();
                    if (notifications != null) {
                        notifications.onUnlisten();
                    }
                });
    }

    private String anySetting() {
        return SETTINGS.get(random.nextInt(SETTINGS.size()));
    }

    private String valueFor(String name) {
        // An odd number of kB, which PostgreSQL does not write in MB.
        return name.equals(WORK_MEM) ? (random.nextInt(1_000, 500_000) * 2 + 1) + "kB" : token + "." + ++sequence;
    }

    private String startOf(String name) {
        return start.getOrDefault(name, "");
    }

    private Map<String, String> with(String name, String value) {
        var changed = new HashMap<>(own);
        changed.put(name, value);
        return changed;
    }

    private static String setting(String name, String value) {
        return "SET %s = '%s'".formatted(name, value);
    }

    private Step settingsAre(Map<String, String> values, boolean inTransaction) {
        var row = Expected.row(
                SETTINGS.stream().map(name -> values.getOrDefault(name, "")).toArray(String[]::new));
        boolean extended = random.nextBoolean();
        var group = extended
                ? Group.of(Expected.type('1'), Expected.type('2'), row, Expected.complete("SELECT 1"))
                : Group.of(Expected.type('T'), row, Expected.complete("SELECT 1"));
        var request = extended
                ? Frames.join(Frames.parse("", OWN_SETTINGS_SQL), Frames.bind("", ""), Frames.execute(), Frames.sync())
                : Frames.query(OWN_SETTINGS_SQL);
        return Step.of(request, inTransaction ? group.inTransaction() : group);
    }

    // --- what others left ------------------------------------------------------------------------------------------

    /** Changes the session where nobody can see it. Whether the client itself finds it later is the pooler's affair; nobody else must. */
    private Exchange hide() {
        var call = "bench_hide('%s', %d, %d)".formatted(token, client, random.nextInt(HIDDEN_LOCKS));
        return switch (random.nextInt(3)) {
            case 0 -> Exchange.of("function", select("SELECT " + call, token));
            case 1 ->
                Exchange.of(
                        "function",
                        Step.of(
                                Frames.join(
                                        Frames.parse("", "SELECT " + call),
                                        Frames.bind("", ""),
                                        Frames.execute(),
                                        Frames.sync()),
                                Group.of(
                                        Expected.type('1'),
                                        Expected.type('2'),
                                        Expected.row(token),
                                        Expected.complete("SELECT 1"))));
            default -> Exchange.of("DO", simple("DO $$BEGIN PERFORM %s; END$$".formatted(call), "DO"));
        };
    }

    Exchange nothingOfOthers() {
        return Exchange.of("nothing of others", select("""
            SELECT coalesce(nullif(current_setting('app.hidden', true), '%1$s'), ''),
                (SELECT count(*) FROM pg_locks
                    WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid <> %2$d),
                (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
                (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
                (SELECT count(*) FROM pg_cursors WHERE is_holdable),
                (SELECT count(*) FROM pg_listening_channels() AS channel WHERE channel <> '%1$s')
            """.formatted(token, client), "", "0", "0", "0", "0", "0"));
    }

    // --- what lives in a server ------------------------------------------------------------------------------------

    private Exchange pin() {
        if (!pinPlaces.tryAcquire()) {
            return nothingOfOthers();
        }
        holdsPlace = true;
        return switch (random.nextInt(4)) {
            case 0 -> temporaryTable();
            case 1 -> preparedBySql();
            case 2 -> advisoryLock();
            default -> cursorWithHold();
        };
    }

    Exchange temporaryTable() {
        var value = token + "." + ++sequence;
        return pinned(
                "temporary table",
                List.of(simple("CREATE TEMP TABLE mine AS SELECT '%s' AS token".formatted(value), "SELECT 1")),
                select("SELECT token FROM mine", value),
                simple("DROP TABLE mine", "DROP TABLE"));
    }

    Exchange preparedBySql() {
        var value = token + "." + ++sequence;
        return pinned(
                "PREPARE",
                List.of(simple("PREPARE mine AS SELECT '%s'".formatted(value), "PREPARE")),
                select("EXECUTE mine", value),
                simple("DEALLOCATE mine", "DEALLOCATE"));
    }

    Exchange advisoryLock() {
        int subkey = HIDDEN_LOCKS + ++sequence;
        return pinned(
                "advisory lock",
                List.of(select("SELECT pg_advisory_lock(%d, %d)".formatted(client, subkey), "")),
                select(
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND"
                                + " granted"
                                + " AND classid = %d AND objid = %d".formatted(client, subkey),
                        "1"),
                select("SELECT pg_advisory_unlock(%d, %d)".formatted(client, subkey), "t"));
    }

    Exchange cursorWithHold() {
        var value = token + "." + ++sequence;
        return pinned(
                "cursor WITH HOLD",
                List.of(
                        begin(),
                        inTransaction(
                                "DECLARE mine CURSOR WITH HOLD FOR SELECT '%s' FROM generate_series(1, 2)"
                                        .formatted(value),
                                "DECLARE CURSOR"),
                        simple("COMMIT", "COMMIT")),
                Step.of(
                        Frames.query("FETCH NEXT FROM mine"),
                        Group.of(Expected.type('T'), Expected.row(value), Expected.complete("FETCH 1"))),
                simple("CLOSE mine", "CLOSE CURSOR"));
    }

    /** Makes it, finds it in two later transactions, with something else between them, and takes it away. */
    private Exchange pinned(String kind, List<Step> made, Step found, Step dropped) {
        List<Step> steps = new ArrayList<>(made);
        steps.add(found);
        steps.add(settingsAre(own, false));
        steps.add(found);
        steps.add(dropped);
        return Exchange.of(kind, steps).endingWhenFailed().then(tally.pins::increment);
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    private Exchange notification() {
        var mine = notifications;
        if (mine == null) {
            return ownSettings();
        }
        if (!mine.isListening()) {
            return Exchange.of("LISTEN", simple("LISTEN \"%s\"".formatted(mine.channel()), "LISTEN"))
                    .then(mine::onListen);
        }
        if (!mine.isAwaiting() && random.nextInt(10) == 0) {
            return Exchange.of(
                            "UNLISTEN",
                            simple(
                                    random.nextBoolean() ? "UNLISTEN *" : "UNLISTEN \"%s\"".formatted(mine.channel()),
                                    "UNLISTEN"))
                    .then(mine::onUnlisten);
        }
        var payload = token + "." + ++sequence;
        var notify = "NOTIFY \"%s\", '%s'".formatted(mine.channel(), payload);
        if (random.nextInt(5) == 0) {
            return Exchange.of(
                    "NOTIFY rolled back",
                    begin(),
                    inTransaction(notify, "NOTIFY"),
                    simple("ROLLBACK", "ROLLBACK"),
                    select("SELECT '%s'".formatted(token), token)); // time for what must not come
        }
        mine.onSending(payload, System.nanoTime());
        var exchange = switch (random.nextInt(4)) {
            case 0 -> Exchange.of("NOTIFY", begin(), inTransaction(notify, "NOTIFY"), simple("COMMIT", "COMMIT"));
            case 1 ->
                Exchange.of("NOTIFY", select("SELECT pg_notify('%s', '%s')".formatted(mine.channel(), payload), ""));
            case 2 ->
                Exchange.of(
                        "NOTIFY",
                        Step.of(
                                Frames.join(
                                        Frames.parse("", notify), Frames.bind("", ""), Frames.execute(), Frames.sync()),
                                Group.of(Expected.type('1'), Expected.type('2'), Expected.complete("NOTIFY"))));
            default -> Exchange.of("NOTIFY", simple(notify, "NOTIFY"));
        };
        return exchange.then(() -> mine.onCommitted(System.nanoTime()));
    }

    // --- steps -----------------------------------------------------------------------------------------------------

    private static Step begin() {
        return inTransaction("BEGIN", "BEGIN");
    }

    private static Step simple(String sql, String tag) {
        return Step.of(Frames.query(sql), Group.of(Expected.complete(tag)));
    }

    private static Step inTransaction(String sql, String tag) {
        return Step.of(Frames.query(sql), Group.of(Expected.complete(tag)).inTransaction());
    }

    private static Step select(String sql, String... row) {
        return Step.of(
                Frames.query(sql), Group.of(Expected.type('T'), Expected.row(row), Expected.complete("SELECT 1")));
    }
}
