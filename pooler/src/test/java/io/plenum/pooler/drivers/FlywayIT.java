package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.plenum.pooler.LeakWatch;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Flyway on HikariCP. It holds an advisory lock on one connection, of the transaction or of the session, while it
 * migrates on another.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FlywayIT {
    private static final String MIGRATIONS = "classpath:io/plenum/pooler/drivers/migrations";

    private TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        // Two Flyways hold up to three servers in transactions; a fourth is the neighbour's.
        ways = TwoWays.start("flyway", "default_pool_size = 4");
    }

    @AfterAll
    void stop() throws Exception {
        ways.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void migrationsRunOnce(boolean lockOfTheTransaction) throws Exception {
        ways.play((way, notes) -> {
            try (var source = source(way)) {
                // An index that is built beside traffic waits for all transactions, so for a lock of a transaction too.
                var flyway = flyway(source, lockOfTheTransaction, lockOfTheTransaction ? "2" : "latest");
                flyway.clean();
                var first = flyway.migrate();
                notes.add(first.migrations.stream()
                        .map(done -> done.version + " " + done.description)
                        .toList());
                notes.add("again", flyway.migrate().migrationsExecuted);
                flyway.validate();
                notes.add(Stream.of(flyway.info().all())
                        .map(one -> one.getVersion() + " " + one.getState() + " " + one.getChecksum())
                        .toList());
                look(source, notes);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void twoAtOnceMigrateOnce(boolean lockOfTheTransaction) throws Exception {
        ways.play((way, notes) -> {
            try (var one = source(way);
                    var two = source(way);
                    var threads = Executors.newFixedThreadPool(2)) {
                var target = lockOfTheTransaction ? "2" : "latest";
                flyway(one, lockOfTheTransaction, target).clean();
                var left = threads.submit(
                        () -> flyway(one, lockOfTheTransaction, target).migrate());
                var right = threads.submit(
                        () -> flyway(two, lockOfTheTransaction, target).migrate());
                notes.add("together", left.get().migrationsExecuted + right.get().migrationsExecuted);
                look(one, notes);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aMigrationThatFailsIsUndoneAndTheLockIsFree(boolean lockOfTheTransaction) throws Exception {
        ways.play((way, notes) -> {
            try (var source = source(way)) {
                var flyway = flyway(source, lockOfTheTransaction, "2");
                flyway.clean();
                flyway.migrate();
                var failing = Flyway.configure()
                        .configuration(flyway.getConfiguration())
                        .locations(MIGRATIONS, "classpath:io/plenum/pooler/drivers/failing")
                        .target("2.1")
                        .load();
                try {
                    failing.migrate();
                    notes.add("no failure");
                } catch (FlywayException failed) {
                    notes.add(failed.getClass().getSimpleName());
                }
                notes.add("next", flyway.migrate().migrationsExecuted);
                look(source, notes);
            }
        });
    }

    private static HikariDataSource source(Way way) {
        var config = new HikariConfig();
        config.setJdbcUrl(way.jdbcUrl());
        config.setMaximumPoolSize(4);
        config.setMinimumIdle(1);
        return new HikariDataSource(config);
    }

    private static Flyway flyway(HikariDataSource source, boolean lockOfTheTransaction, String target) {
        return Flyway.configure()
                .dataSource(source)
                .locations(MIGRATIONS)
                .cleanDisabled(false)
                .target(target)
                .configuration(Map.of("flyway.postgresql.transactional.lock", Boolean.toString(lockOfTheTransaction)))
                .load();
    }

    private static void look(HikariDataSource source, Notes notes) throws Exception {
        try (var connection = source.getConnection();
                var statement = connection.createStatement()) {
            notes.query(statement, "SELECT * FROM customer ORDER BY id");
            notes.query(statement, "SELECT count(*), sum(cents), total(2) FROM purchase");
            notes.query(
                    statement,
                    "SELECT version, description, success FROM flyway_schema_history ORDER BY installed_rank");
            notes.query(
                    statement, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1");
        }
        assertThat(notes.lines()).isNotEmpty();
    }
}
