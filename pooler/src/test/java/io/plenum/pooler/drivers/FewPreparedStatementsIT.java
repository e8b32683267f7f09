package io.plenum.pooler.drivers;

import static io.plenum.pooler.drivers.VertxIT.await;

import io.plenum.pooler.LeakWatch;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients that keep many more statements than a server may: each use can push out what the next one needs. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FewPreparedStatementsIT {
    private static final int STATEMENTS = 25;
    private static final int USES = 500;

    private final Vertx vertx = Vertx.vertx();
    private TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        ways = TwoWays.start("few_prepared_statements", "max_prepared_statements = 3");
    }

    @AfterAll
    void stop() throws Exception {
        await(vertx.close());
        ways.close();
    }

    @Test
    void oneAfterTheOther() throws Exception {
        ways.play((way, notes) -> {
            var random = new Random(1);
            try (var connection = way.jdbc("prepareThreshold=1");
                    var plain = connection.createStatement()) {
                List<PreparedStatement> statements = new ArrayList<>();
                for (int i = 0; i < STATEMENTS; i++) {
                    statements.add(connection.prepareStatement(text(i).replace("$1", "?")));
                }
                for (int use = 0; use < USES; use++) {
                    if (random.nextInt(20) == 0) {
                        connection.setAutoCommit(!connection.getAutoCommit());
                    }
                    var statement = statements.get(random.nextInt(STATEMENTS));
                    statement.setInt(1, random.nextInt(10));
                    notes.failure(() -> notes.rows(statement.executeQuery()));
                    if (!connection.getAutoCommit() && random.nextInt(4) == 0) {
                        connection.rollback();
                    }
                }
                connection.setAutoCommit(true);
                notes.query(plain, "SELECT 'afterwards'");
            }
        });
    }

    @Test
    void manyAtOnce() throws Exception {
        ways.play((way, notes) -> {
            var random = new Random(2);
            var options = new PgConnectOptions()
                    .setHost(way.host())
                    .setPort(way.port())
                    .setDatabase(way.database())
                    .setUser(Way.USER)
                    .setPassword("none")
                    .setCachePreparedStatements(true)
                    .setPipeliningLimit(100);
            var connection = await(PgConnection.connect(vertx, options));
            List<Future<RowSet<Row>>> answers = new ArrayList<>();
            for (int use = 0; use < USES; use++) {
                answers.add(connection
                        .preparedQuery(text(random.nextInt(STATEMENTS)))
                        .execute(Tuple.of(random.nextInt(10))));
            }
            for (var answer : answers) {
                try {
                    notes.add(await(answer).iterator().next().getInteger(0));
                } catch (PgException failed) {
                    notes.add(failed.getErrorMessage());
                }
            }
            await(connection.close());
        });
    }

    /** A tenth of the uses divides by zero. */
    private static String text(int number) {
        return "SELECT " + number + " + 840 / $1::int";
    }
}
