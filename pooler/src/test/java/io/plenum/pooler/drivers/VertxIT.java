package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.RowStream;
import io.vertx.sqlclient.Tuple;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The Vert.x client: it pipelines requests of one connection, so errors and answers must keep their order. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VertxIT {
    private final Vertx vertx = Vertx.vertx();
    private TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        ways = TwoWays.start("vertx");
    }

    @AfterAll
    void stop() throws Exception {
        await(vertx.close());
        ways.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 64})
    void pipelinedRequestsAreAnsweredInTheirOrder(int pipelining) throws Exception {
        ask(true, pipelining);
    }

    /** Without its cache the driver parses in one group of messages and binds in the next. */
    @ParameterizedTest
    @ValueSource(ints = {1, 64})
    void statementsWithoutNamesAreAnsweredInTheirOrder(int pipelining) throws Exception {
        ask(false, pipelining);
    }

    private void ask(boolean cached, int pipelining) throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(way, cached, pipelining);
            List<Future<RowSet<Row>>> answers = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                answers.add(
                        switch (i % 4) {
                            case 0 ->
                                connection.preparedQuery("SELECT $1::int + 1").execute(Tuple.of(i));
                            case 1 -> connection.query("SELECT " + i).execute();
                            case 2 ->
                                connection
                                        .preparedQuery("SELECT 60 / ($1::int % 5), $2::text")
                                        .execute(Tuple.of(i, "t" + i));
                            default ->
                                connection.query("SELECT 1 / (" + i + " % 3)").execute();
                        });
            }
            for (var answer : answers) {
                note(notes, answer);
            }
            await(connection.close());
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 32})
    void anErrorInsideATransactionFailsWhatFollowsInThePipeline(int pipelining) throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(way, true, pipelining);
            await(connection
                    .query("DROP TABLE IF EXISTS piped; CREATE TABLE piped (id int PRIMARY KEY)")
                    .execute());
            for (int round = 0; round < 3; round++) {
                var answers = List.of(
                        connection.query("BEGIN").execute(),
                        connection
                                .preparedQuery("INSERT INTO piped VALUES ($1)")
                                .execute(Tuple.of(round)),
                        connection
                                .preparedQuery("INSERT INTO piped VALUES ($1)")
                                .execute(Tuple.of(round)),
                        connection.preparedQuery("SELECT count(*) FROM piped").execute(),
                        connection.query("SAVEPOINT s").execute(),
                        connection.query("ROLLBACK").execute(),
                        connection
                                .preparedQuery("INSERT INTO piped VALUES ($1)")
                                .execute(Tuple.of(100 + round)),
                        connection
                                .preparedQuery("SELECT id FROM piped ORDER BY id")
                                .execute());
                for (var answer : answers) {
                    note(notes, answer);
                }
            }
            await(connection.close());
        });
    }

    @ParameterizedTest
    @CsvSource({"true, 1, false", "true, 16, false", "false, 16, false", "false, 1, true"})
    void thePoolServesManyTasksWithFewConnections(boolean cached, int pipelining, boolean layer7) throws Exception {
        ways.play((way, notes) -> {
            var pool = pool(way, options(way, cached, pipelining).setUseLayer7Proxy(layer7), 5);
            await(pool.query("DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, cents bigint);"
                            + " INSERT INTO account VALUES (1, 10000), (2, 10000), (3, 10000)")
                    .execute());
            List<Future<?>> moved = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                moved.add(transfer(pool, 1 + i % 3, 1 + (i + 1) % 3, i));
            }
            for (var done : moved) {
                notes.add(failure(done));
            }
            note(notes, pool.query("SELECT id, cents FROM account ORDER BY id").execute());
            await(pool.close());
        });
    }

    /** Takes both rows in the order of their ids, so that transfers cannot deadlock; each tenth is given up. */
    private static Future<?> transfer(Pool pool, int from, int to, long cents) {
        return pool.withTransaction(connection -> connection
                .preparedQuery("SELECT id FROM account WHERE id IN ($1, $2) ORDER BY id FOR UPDATE")
                .execute(Tuple.of(from, to))
                .compose(_ -> connection
                        .preparedQuery("UPDATE account SET cents = cents - $2 WHERE id = $1")
                        .execute(Tuple.of(from, cents)))
                .compose(_ -> connection
                        .preparedQuery("UPDATE account SET cents = cents + $2 WHERE id = $1")
                        .execute(Tuple.of(to, cents)))
                .compose(_ -> connection
                        .query(cents % 10 == 9 ? "SELECT 1/0" : "SELECT 1")
                        .execute()));
    }

    @ParameterizedTest
    @CsvSource({"true, 1", "true, 16", "false, 16"})
    void cursorsAndStreamsReadInPortions(boolean cached, int pipelining) throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(way, cached, pipelining);
            for (int round = 0; round < 3; round++) {
                var transaction = await(connection.begin());
                var statement = await(connection.prepare("SELECT n, repeat('x', n) FROM generate_series(1, $1) n"));
                var cursor = statement.cursor(Tuple.of(100));
                int got = 0;
                do {
                    got += await(cursor.read(13)).size();
                    note(notes, connection.query("SELECT 'between portions'").execute());
                } while (cursor.hasMore());
                notes.add("cursor", got);
                await(cursor.close());
                var half = statement.cursor(Tuple.of(50));
                notes.add("half", await(half.read(10)).size());
                await(half.close());
                notes.add("streamed", streamed(statement.createStream(7, Tuple.of(60))));
                await(statement.close());
                await(transaction.commit());
            }
            note(notes, connection.query("SELECT 'afterwards'").execute());
            await(connection.close());
        });
    }

    private static int streamed(RowStream<Row> stream) throws Exception {
        var count = new CompletableFuture<Integer>();
        var seen = new ArrayList<Row>();
        stream.exceptionHandler(count::completeExceptionally);
        stream.endHandler(_ -> count.complete(seen.size()));
        stream.handler(seen::add);
        return count.get(20, TimeUnit.SECONDS);
    }

    @Test
    void valuesOfEveryKindComeBack() throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(way, true, 8);
            await(connection
                    .query("DROP TABLE IF EXISTS kinds; CREATE TABLE kinds (id int, t text, b bool, d date,"
                            + " i timestamptz, n numeric, u uuid, j jsonb, a int[], w text[], r bytea, f float8,"
                            + " v interval)")
                    .execute());
            for (int i = 0; i < 4; i++) {
                await(connection
                        .preparedQuery("INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
                                + " make_interval(hours => $13))")
                        .execute(Tuple.from(new ArrayList<Object>(List.of(
                                i,
                                "gr\u00fc\u00df " + i,
                                i % 2 == 0,
                                LocalDate.of(2020, 1, 1 + i),
                                OffsetDateTime.of(2024, 1, 1, i, 0, 0, 0, ZoneOffset.ofHours(3)),
                                new BigDecimal("12345.6789"),
                                new UUID(i, i),
                                new JsonObject().put("k", i),
                                new Integer[] {i, 2},
                                new String[] {"a,b", "\""},
                                Buffer.buffer(new byte[] {0, (byte) i}),
                                0.1 * i,
                                i)))));
            }
            note(
                    notes,
                    connection.preparedQuery("SELECT * FROM kinds ORDER BY id").execute());
            note(notes, connection.query("SELECT * FROM kinds ORDER BY id").execute());
            note(
                    notes,
                    connection
                            .query("SELECT 1; UPDATE kinds SET b = true; SELECT 2, 3")
                            .execute());
            note(
                    notes,
                    connection
                            .preparedQuery("INSERT INTO kinds (id) VALUES ($1) RETURNING id, t")
                            .executeBatch(List.of(Tuple.of(7), Tuple.of(8), Tuple.of(9))));
            note(notes, connection.preparedQuery("SELECT $1::int").execute(Tuple.of("not a number")));
            note(
                    notes,
                    connection
                            .preparedQuery("SELECT * FROM not_there WHERE a = $1")
                            .execute(Tuple.of(1)));
            note(
                    notes,
                    connection
                            .preparedQuery("INSERT INTO kinds (id) VALUES (100 / $1)")
                            .executeBatch(List.of(Tuple.of(1), Tuple.of(0), Tuple.of(2))));
            note(notes, connection.query("SELECT count(*) FROM kinds").execute());
            await(connection.close());
        });
    }

    @Test
    void aCancelStopsTheRunningQuery() throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(way, true, 1);
            for (int round = 0; round < 2; round++) {
                var sleeping = connection.query("SELECT pg_sleep(20)").execute();
                var canceled = new CompletableFuture<@Nullable Void>();
                vertx.setTimer(
                        150,
                        _ -> connection
                                .cancelRequest()
                                .onSuccess(canceled::complete)
                                .onFailure(canceled::completeExceptionally));
                note(notes, sleeping);
                canceled.get(10, TimeUnit.SECONDS);
                note(notes, connection.preparedQuery("SELECT $1::int").execute(Tuple.of(round)));
            }
            await(connection.close());
        });
    }

    /** At present a session that listens keeps its server. */
    @Test
    void notificationsReachTheirListener() throws Exception {
        ways.play((way, notes) -> {
            var listener = connect(way, true, 1);
            var teller = connect(way, true, 16);
            var heard = new LinkedBlockingQueue<String>();
            listener.notificationHandler(news -> heard.add(news.getChannel() + " " + news.getPayload()));
            await(listener.query("LISTEN vertx_news").execute());
            for (int i = 0; i < 20; i++) {
                await(teller.preparedQuery("SELECT pg_notify('vertx_news', $1)").execute(Tuple.of("n" + i)));
            }
            for (int i = 0; i < 20; i++) {
                notes.add(heard.poll(20, TimeUnit.SECONDS));
            }
            note(notes, listener.preparedQuery("SELECT $1::int").execute(Tuple.of(1)));
            await(listener.close());
            await(teller.close());
        });
    }

    @Test
    void propertiesOfTheConnectionAreItsOwn() throws Exception {
        ways.play((way, notes) -> {
            var options = options(way, true, 8);
            options.setProperties(
                    Map.of("application_name", "from vertx", "search_path", "pg_catalog", "work_mem", "6MB"));
            var connection = await(PgConnection.connect(vertx, options));
            for (int i = 0; i < 4; i++) {
                note(
                        notes,
                        connection
                                .query("SELECT current_setting('application_name'), current_setting('search_path'),"
                                        + " current_setting('work_mem')")
                                .execute());
            }
            notes.add(connection.databaseMetadata().fullVersion());
            await(connection.close());
        });
    }

    private PgConnection connect(Way way, boolean cached, int pipelining) throws Exception {
        return await(PgConnection.connect(vertx, options(way, cached, pipelining)));
    }

    private static PgConnectOptions options(Way way, boolean cached, int pipelining) {
        return new PgConnectOptions()
                .setHost(way.host())
                .setPort(way.port())
                .setDatabase(way.database())
                .setUser(Way.USER)
                .setPassword("none")
                .setCachePreparedStatements(cached)
                .setPipeliningLimit(pipelining);
    }

    private Pool pool(Way way, PgConnectOptions options, int size) {
        assertThat(options.getPort()).isEqualTo(way.port());
        return PgBuilder.pool()
                .with(new PoolOptions().setMaxSize(size))
                .connectingTo(options)
                .using(vertx)
                .build();
    }

    /** Notes all rows of an answer, of all its statements, or its error. */
    private static void note(Notes notes, Future<RowSet<Row>> answer) throws Exception {
        try {
            for (RowSet<Row> rows = await(answer); rows != null; rows = rows.next()) {
                notes.add("rows " + rows.rowCount());
                for (var row : rows) {
                    var values = new ArrayList<String>();
                    for (int i = 0; i < row.size(); i++) {
                        values.add(Notes.text(row.getValue(i)));
                    }
                    notes.add(values);
                }
            }
        } catch (PgException failed) {
            notes.add(described(failed));
        } catch (RuntimeException failed) {
            notes.add(failed.getClass().getName());
        }
    }

    private static String failure(Future<?> answer) throws Exception {
        try {
            await(answer);
            return "no failure";
        } catch (PgException failed) {
            return described(failed);
        }
    }

    private static String described(PgException failed) {
        return failed.getSqlState() + " " + failed.getErrorMessage() + " " + failed.getDetail();
    }

    static <T> T await(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw failed;
        } catch (TimeoutException late) {
            throw new AssertionError("no answer", late);
        }
    }
}
