package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.plenum.pooler.LeakWatch;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.postgresql.api.Notification;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.api.PostgresqlResult;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.ValidationDepth;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** R2DBC with its pool: it prepares and executes without Sync in between, and asks for rows with Flush. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class R2dbcIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        ways = TwoWays.start("r2dbc");
    }

    @AfterAll
    void stop() throws Exception {
        ways.close();
    }

    /** -1 caches all statements, 0 leaves them without a name, 2 closes old ones to prepare others. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 2})
    void statementsValuesAndErrorsAreThoseOfPostgres(int cached) throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(configuration(way).preparedStatementCacheQueries(cached));
            for (int use = 0; use < 6; use++) {
                notes.add(rows(connection
                        .createStatement("SELECT $1::int + 1, $2::text")
                        .bind("$1", use)
                        .bind("$2", "t" + use)
                        .execute()));
                notes.add(failure(rowsOf(connection
                        .createStatement("SELECT 60 / ($1::int % 3)")
                        .bind("$1", use)
                        .execute())));
                notes.add(rows(connection
                        .createStatement("SELECT " + use + " AS plain; SELECT 'second'")
                        .execute()));
                notes.add(failure(rowsOf(
                        connection.createStatement("SELECT * FROM not_there").execute())));
                notes.add(failure(rowsOf(connection
                        .createStatement("SELECT $1 FROM not_there")
                        .bind("$1", use)
                        .execute())));
            }
            kinds(connection, notes);
            batches(connection, notes);
            await(connection.close());
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void requestsAtOnceAreAnsweredInTheirOrder(int cached) throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(configuration(way).preparedStatementCacheQueries(cached));
            var answers = Flux.range(0, 120)
                    .flatMapSequential(
                            token -> rowsOf(connection
                                            .createStatement("SELECT 60 / ($1::int % 7), " + token % 5)
                                            .bind("$1", token)
                                            .execute())
                                    .onErrorResume(R2dbcException.class, failed -> Mono.just(failed.getSqlState())),
                            16)
                    .collectList()
                    .block(PATIENCE);
            assertThat(answers).hasSizeGreaterThan(120); // rows, their counts and errors
            notes.add(answers);
            await(connection.close());
        });
    }

    private static void kinds(PostgresqlConnection connection, Notes notes) {
        rows(connection
                .createStatement("DROP TABLE IF EXISTS kinds; CREATE TABLE kinds (id int, t text, b bool, d date,"
                        + " i timestamptz, n numeric, u uuid, j text, a int[], w text[], r bytea, f float8)")
                .execute());
        for (int i = 0; i < 4; i++) {
            var insert = connection.createStatement(
                    "INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
            Object[] values = {
                i,
                "gr\u00fc\u00df " + i,
                i % 2 == 0,
                LocalDate.of(2020, 1, 1 + i),
                OffsetDateTime.of(2024, 1, 1, i, 0, 0, 0, ZoneOffset.ofHours(3)),
                new BigDecimal("12345.6789"),
                new UUID(i, i),
                "{\"k\": 1}",
                new Integer[] {i, 2},
                new String[] {"a,b", "\""},
                ByteBuffer.wrap(new byte[] {0, (byte) i}),
                0.1 * i
            };
            for (int k = 0; k < values.length; k++) {
                if (i == 3 && k == 1) {
                    insert.bindNull(k, String.class);
                } else {
                    insert.bind(k, values[k]);
                }
            }
            notes.add(updated(insert.execute()));
        }
        notes.add(rows(
                connection.createStatement("SELECT * FROM kinds ORDER BY id").execute()));
    }

    private static void batches(PostgresqlConnection connection, Notes notes) {
        rows(connection
                .createStatement(
                        "DROP TABLE IF EXISTS batched; CREATE TABLE batched (id serial PRIMARY KEY, n int UNIQUE)")
                .execute());
        var insert = connection
                .createStatement("INSERT INTO batched (n) VALUES ($1)")
                .returnGeneratedValues("id", "n");
        for (int n = 0; n < 50; n++) {
            insert.bind("$1", n);
            if (n < 49) {
                insert.add();
            }
        }
        notes.add(rows(insert.execute()));
        var failing = connection.createStatement("INSERT INTO batched (n) VALUES ($1)");
        failing.bind("$1", 100).add().bind("$1", 100).add().bind("$1", 101);
        notes.add(failure(rowsOf(failing.execute())));
        notes.add(rows(connection
                .createBatch()
                .add("SELECT 1")
                .add("UPDATE batched SET n = -n WHERE n < 3")
                .add("SELECT count(*) FROM batched")
                .execute()));
        notes.add(rows(connection
                .createStatement("SELECT n FROM batched WHERE n >= 100 ORDER BY n")
                .execute()));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void rowsAreFetchedInPortionsAndMayBeGivenUp(int cached) throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(configuration(way).preparedStatementCacheQueries(cached));
            for (boolean inTransaction : new boolean[] {false, true, false}) {
                if (inTransaction) {
                    await(connection.beginTransaction());
                }
                for (int fetch : new int[] {7, 1, 1_000}) {
                    var select = connection
                            .createStatement("SELECT n, repeat('x', 500) FROM generate_series(1, $1) n")
                            .bind("$1", 100)
                            .fetchSize(fetch);
                    notes.add(Flux.from(select.execute())
                            .flatMap(result -> result.map((row, _) -> row.get(0, Integer.class)))
                            .reduce(0, Integer::sum)
                            .block(PATIENCE));
                    var few = connection
                            .createStatement("SELECT n FROM generate_series(1, $1) n")
                            .bind("$1", 10_000)
                            .fetchSize(fetch);
                    notes.add(Flux.from(few.execute())
                            .flatMap(result -> result.map((row, _) -> row.get(0, Integer.class)))
                            .take(20)
                            .collectList()
                            .block(PATIENCE));
                    notes.add(rows(connection
                            .createStatement("SELECT 'afterwards', $1::int")
                            .bind("$1", fetch)
                            .execute()));
                }
                if (inTransaction) {
                    await(connection.commitTransaction());
                }
            }
            await(connection.close());
        });
    }

    @Test
    void transactionsSavepointsAndIsolation() throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(configuration(way));
            rows(connection
                    .createStatement("DROP TABLE IF EXISTS saved; CREATE TABLE saved (id int PRIMARY KEY)")
                    .execute());
            for (int round = 0; round < 4; round++) {
                await(connection.beginTransaction(IsolationLevel.SERIALIZABLE));
                notes.add(rows(
                        connection.createStatement("SHOW transaction_isolation").execute()));
                insert(connection, round * 10);
                await(connection.createSavepoint("s"));
                notes.add(failure(insertion(connection, round * 10)));
                notes.add(failure(insertion(connection, round * 10 + 1)));
                await(connection.rollbackTransactionToSavepoint("s"));
                insert(connection, round * 10 + 2);
                await(round % 2 == 0 ? connection.commitTransaction() : connection.rollbackTransaction());
                notes.add(connection.isAutoCommit());
            }
            await(connection.beginTransaction());
            insert(connection, 99);
            notes.add(failure(insertion(connection, 99)));
            notes.add(failure(connection.commitTransaction().thenMany(Flux.empty())));
            notes.add(rows(connection
                    .createStatement("SELECT id FROM saved ORDER BY id")
                    .execute()));
            await(connection.close());
        });
    }

    private static Flux<String> insertion(PostgresqlConnection connection, int id) {
        return rowsOf(connection
                .createStatement("INSERT INTO saved VALUES ($1)")
                .bind("$1", id)
                .execute());
    }

    private static void insert(PostgresqlConnection connection, int id) {
        insertion(connection, id).blockLast(PATIENCE);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void thePoolServesManyTasksWithFewConnections(int cached) throws Exception {
        ways.play((way, notes) -> {
            var factory = new PostgresqlConnectionFactory(
                    configuration(way).preparedStatementCacheQueries(cached).build());
            var pool = new ConnectionPool(ConnectionPoolConfiguration.builder(factory)
                    .maxSize(6)
                    .initialSize(2)
                    .validationQuery("SELECT 1")
                    .build());
            Flux.usingWhen(
                            pool.create(),
                            connection -> connection
                                    .createStatement(
                                            "DROP TABLE IF EXISTS counter; CREATE TABLE counter (id int, n int);"
                                                    + " INSERT INTO counter VALUES (1, 0)")
                                    .execute(),
                            Connection::close)
                    .flatMap(result -> result.getRowsUpdated())
                    .blockLast(PATIENCE);
            var answers = Flux.range(0, 60)
                    .flatMap(
                            token -> counted(pool, token).onErrorResume(R2dbcException.class, failed -> Mono.just(-1L)),
                            24)
                    .collectList()
                    .block(PATIENCE);
            assertThat(answers).hasSize(60);
            notes.add("failed", answers.stream().filter(answer -> answer < 0).count());
            notes.add(Flux.usingWhen(
                            pool.create(),
                            connection -> connection
                                    .createStatement("SELECT n FROM counter")
                                    .execute(),
                            Connection::close)
                    .flatMap(result -> result.map((row, _) -> String.valueOf(row.get(0))))
                    .blockLast(PATIENCE));
            pool.disposeLater().block(PATIENCE);
        });
    }

    /** Adds one in a transaction; each tenth token fails in the middle of it. */
    private static Mono<Long> counted(ConnectionPool pool, int token) {
        return Flux.usingWhen(
                        pool.create(),
                        connection -> Mono.from(connection.beginTransaction())
                                .thenMany(Flux.from(connection
                                                .createStatement("UPDATE counter SET n = n + 1 WHERE id = $1")
                                                .bind("$1", 1)
                                                .execute())
                                        .flatMap(result -> result.getRowsUpdated()))
                                .concatWith(Flux.from(connection
                                                .createStatement("SELECT (100 / ($1::int % 10))::bigint")
                                                .bind("$1", token)
                                                .execute())
                                        .flatMap(result -> result.map((row, _) -> row.get(0, Long.class))))
                                .concatWith(Mono.from(connection.commitTransaction())
                                        .then(Mono.empty())),
                        Connection::close,
                        (connection, _) ->
                                Mono.from(connection.rollbackTransaction()).then(Mono.from(connection.close())),
                        Connection::close)
                .last();
    }

    @Test
    void aCancelStopsTheRunningQuery() throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(configuration(way));
            for (int round = 0; round < 2; round++) {
                var canceling = Mono.delay(Duration.ofMillis(150))
                        .then(connection.cancelRequest())
                        .toFuture();
                notes.add(failure(
                        rowsOf(connection.createStatement("SELECT pg_sleep(20)").execute())));
                canceling.get(10, TimeUnit.SECONDS);
                notes.add(rows(connection
                        .createStatement("SELECT $1::int")
                        .bind("$1", round)
                        .execute()));
            }
            connection.setStatementTimeout(Duration.ofMillis(200)).block(PATIENCE);
            for (int i = 0; i < 3; i++) {
                notes.add(rows(
                        connection.createStatement("SHOW statement_timeout").execute()));
            }
            notes.add(failure(
                    rowsOf(connection.createStatement("SELECT pg_sleep(20)").execute())));
            await(connection.close());
        });
    }

    /** At present a session that listens keeps its server. */
    @Test
    void notificationsReachTheirListener() throws Exception {
        ways.play((way, notes) -> {
            var listener = connect(configuration(way));
            var teller = connect(configuration(way));
            var heard = new LinkedBlockingQueue<Notification>();
            var listening = listener.getNotifications().subscribe(heard::add);
            rows(listener.createStatement("LISTEN reactive_news").execute());
            for (int i = 0; i < 20; i++) {
                rows(teller.createStatement("SELECT pg_notify('reactive_news', $1)")
                        .bind("$1", "n" + i)
                        .execute());
            }
            for (int i = 0; i < 20; i++) {
                var news = heard.poll(20, TimeUnit.SECONDS);
                notes.add(news == null ? "nothing" : news.getName() + " " + news.getParameter());
            }
            notes.add(rows(
                    listener.createStatement("SELECT $1::int").bind("$1", 1).execute()));
            listening.dispose();
            await(listener.close());
            await(teller.close());
        });
    }

    @Test
    void copyInAndOptionsOfTheConnection() throws Exception {
        ways.play((way, notes) -> {
            var connection = connect(configuration(way)
                    .applicationName("reactive")
                    .schema("pg_catalog, public")
                    .options(Map.of("work_mem", "6MB", "TimeZone", "Asia/Tokyo")));
            rows(connection
                    .createStatement("DROP TABLE IF EXISTS public.copied; CREATE TABLE public.copied (id int)")
                    .execute());
            var lines = Unpooled.copiedBuffer("1\n2\n3\n", StandardCharsets.UTF_8);
            notes.add(connection
                    .copyIn("COPY public.copied FROM STDIN", Mono.just(lines))
                    .block(PATIENCE));
            for (int i = 0; i < 4; i++) {
                notes.add(rows(connection
                        .createStatement("SELECT current_setting('application_name'), current_setting('work_mem'),"
                                + " current_setting('TimeZone'), current_schemas(false)::text, count(*)"
                                + " FROM public.copied WHERE id > $1")
                        .bind("$1", i)
                        .execute()));
            }
            notes.add(connection.getMetadata().getDatabaseVersion());
            notes.add(Mono.from(connection.validate(ValidationDepth.REMOTE)).block(PATIENCE));
            await(connection.close());
        });
    }

    private static PostgresqlConnectionConfiguration.Builder configuration(Way way) {
        return PostgresqlConnectionConfiguration.builder()
                .host(way.host())
                .port(way.port())
                .database(way.database())
                .username(Way.USER);
    }

    private static PostgresqlConnection connect(PostgresqlConnectionConfiguration.Builder builder) {
        var connection =
                new PostgresqlConnectionFactory(builder.build()).create().block(PATIENCE);
        assertThat(connection).isNotNull();
        return connection;
    }

    private static void await(Publisher<Void> done) {
        Mono.from(done).block(PATIENCE);
    }

    private static List<String> rows(Publisher<PostgresqlResult> answer) {
        List<String> rows = rowsOf(answer).collectList().block(PATIENCE);
        return rows == null ? List.of() : rows;
    }

    private static @Nullable Long updated(Publisher<PostgresqlResult> answer) {
        return Flux.from(answer).flatMap(PostgresqlResult::getRowsUpdated).blockLast(PATIENCE);
    }

    /** All rows of all results, and how many rows each result without rows has changed. */
    private static Flux<String> rowsOf(Publisher<PostgresqlResult> answer) {
        return Flux.from(answer)
                .concatMap(result -> result.flatMap(segment -> switch (segment) {
                    case Result.RowSegment found -> Mono.just(text(found.row()));
                    case Result.Message notice when "00000".equals(notice.sqlState()) -> Mono.empty();
                    case Result.Message failed -> Mono.error(failed.exception());
                    case Result.UpdateCount count -> Mono.just("updated " + count.value());
                    default -> Mono.empty();
                }));
    }

    private static String text(Row row) {
        var values = new ArrayList<String>();
        for (int i = 0; i < row.getMetadata().getColumnMetadatas().size(); i++) {
            values.add(Notes.text(row.get(i)));
        }
        return values.toString();
    }

    private static String failure(Flux<String> answer) {
        try {
            return "no failure " + answer.collectList().block(PATIENCE);
        } catch (R2dbcException failed) {
            return failed.getClass().getSimpleName() + " " + failed.getSqlState() + " " + failed.getMessage();
        }
    }
}
