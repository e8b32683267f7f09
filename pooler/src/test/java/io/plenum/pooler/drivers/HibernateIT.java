package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.plenum.pooler.LeakWatch;
import jakarta.persistence.LockModeType;
import jakarta.persistence.LockTimeoutException;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.PersistenceException;
import jakarta.persistence.PessimisticLockException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.hibernate.LazyInitializationException;
import org.hibernate.ScrollMode;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hibernate on HikariCP on pgjdbc, as an application is built that has never heard of us. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HibernateIT {
    private TwoWays ways;

    /** What an application does with its database. */
    private interface Work {
        void run(SessionFactory sessions, Notes notes) throws Exception;
    }

    @BeforeAll
    void start() throws Exception {
        ways = TwoWays.start("hibernate");
    }

    @AfterAll
    void stop() throws Exception {
        ways.close();
    }

    @ParameterizedTest
    @CsvSource({"'', true", "reWriteBatchedInserts=true&prepareThreshold=1, false"})
    void anApplicationCannotTell(String parameters, boolean hikariCommits) throws Exception {
        ways.play((way, notes) -> application(way, parameters, hikariCommits, notes, (sessions, seen) -> {
            insertInBatches(sessions, seen);
            loadLazily(sessions, seen);
            changeAndQuery(sessions, seen);
            readInPortions(sessions, seen);
            lockOptimistically(sessions, seen);
            lockPessimistically(sessions, seen);
            failAndGoOn(sessions, seen);
        }));
    }

    @Test
    void threadsThatLockOneRowAllCount() throws Exception {
        ways.play((way, notes) -> application(way, "prepareThreshold=1", true, notes, (sessions, seen) -> {
            sessions.inTransaction(session -> session.persist(new Author("counted")));
            try (var threads = Executors.newFixedThreadPool(8)) {
                List<Future<Boolean>> work = new ArrayList<>();
                for (int i = 0; i < 60; i++) {
                    int token = i;
                    work.add(threads.submit(visit(sessions, token)));
                }
                for (var one : work) {
                    assertThat(one.get()).isTrue();
                }
            }
            seen.add(sessions.fromTransaction(session -> byName(session, "counted").visits));
            seen.add(sessions.fromTransaction(
                    session -> session.createSelectionQuery("select count(*) from Author", Long.class)
                            .getSingleResult()));
        }));
    }

    private static Callable<Boolean> visit(SessionFactory sessions, int token) {
        return () -> {
            sessions.inTransaction(session -> {
                var author = session.createSelectionQuery("from Author where name = 'counted'", Author.class)
                        .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                        .getSingleResult();
                author.visits++;
                if (token % 6 == 0) {
                    session.persist(new Author("beside " + token));
                }
            });
            return true;
        };
    }

    private static void application(Way way, String parameters, boolean hikariCommits, Notes notes, Work work)
            throws Exception {
        var hikari = new HikariConfig();
        hikari.setJdbcUrl(way.jdbcUrl() + "&" + parameters);
        hikari.setMaximumPoolSize(6);
        hikari.setMinimumIdle(3);
        hikari.setAutoCommit(hikariCommits);
        try (var source = new HikariDataSource(hikari);
                var sessions = new Configuration()
                        .addAnnotatedClass(Author.class)
                        .addAnnotatedClass(Book.class)
                        .setProperties(properties(source, hikariCommits))
                        .buildSessionFactory()) {
            work.run(sessions, notes);
        }
    }

    private static Properties properties(HikariDataSource source, boolean hikariCommits) {
        var properties = new Properties();
        properties.putAll(Map.of(
                "hibernate.connection.datasource",
                source,
                "hibernate.connection.provider_disables_autocommit",
                !hikariCommits,
                "hibernate.hbm2ddl.auto",
                "create-drop",
                "hibernate.jdbc.batch_size",
                20,
                "hibernate.order_inserts",
                true,
                "hibernate.order_updates",
                true,
                "hibernate.id.optimizer.pooled.preferred",
                "pooled-lo",
                "hibernate.jdbc.time_zone",
                "UTC"));
        return properties;
    }

    private static void insertInBatches(SessionFactory sessions, Notes notes) {
        sessions.inTransaction(session -> {
            for (int i = 0; i < 64; i++) {
                var author = new Author("author " + i);
                author.genre = i % 2 == 0 ? Author.Genre.NOVEL : Author.Genre.POEM;
                author.born = Instant.ofEpochSecond(86_400L * i);
                author.languages = new String[] {"en", "de " + i};
                author.biography = i % 8 == 0 ? "life ".repeat(2_000) : null;
                author.picture = i % 16 == 0 ? new byte[5_000] : null;
                if (i % 4 == 0) {
                    author.write("second book of " + i);
                    author.write("first book of " + i);
                }
                session.persist(author);
            }
        });
        sessions.inStatelessTransaction(session -> session.insertMultiple(List.of(new Author("x"), new Author("y"))));
        notes.add(sessions.fromTransaction(
                session -> session.createSelectionQuery("select min(id), max(id), count(*) from Author", Object[].class)
                        .getSingleResult()));
    }

    private static void loadLazily(SessionFactory sessions, Notes notes) {
        var detached = sessions.fromTransaction(session -> {
            var author = byName(session, "author 8");
            notes.add(author.genre + " " + author.born + " " + author.token + " " + author.languages.length);
            notes.add(author.biography == null ? -1 : author.biography.length());
            notes.add(author.books.stream().map(book -> book.title).toList());
            return byName(session, "author 12");
        });
        try {
            notes.add(detached.books.size());
        } catch (LazyInitializationException closed) {
            notes.add("lazy and closed");
        }
        notes.add(sessions.fromTransaction(session -> session
                .createSelectionQuery(
                        "select a from Author a join fetch a.books b where b.title like 'first%' order by a.id",
                        Author.class)
                .getResultList()
                .stream()
                .map(author -> author.name + author.books.size())
                .toList()));
    }

    private static void changeAndQuery(SessionFactory sessions, Notes notes) {
        for (int round = 0; round < 8; round++) { // past the driver's threshold for named statements
            int number = round;
            sessions.inTransaction(session -> {
                var author = byName(session, "author " + number);
                author.visits += 10;
                author.books.clear();
                author.write("book of round " + number);
                session.flush();
                session.refresh(author);
                notes.add(author.name + " " + author.version + " " + author.visits);
            });
        }
        notes.add(sessions.fromTransaction(
                session -> session.createMutationQuery("update Author set visits = visits + 1 where genre = :genre")
                        .setParameter("genre", Author.Genre.POEM)
                        .executeUpdate()));
        notes.add(sessions.fromTransaction(session -> session
                .createNativeQuery(
                        "select name, cast(visits as text) from author where visits > ? order by id", Object[].class)
                .setParameter(1, 5)
                .getResultList()
                .stream()
                .map(Arrays::toString)
                .toList()));
        sessions.inSession(session -> {
            session.setDefaultReadOnly(true);
            notes.add(byName(session, "author 3").visits); // outside of a transaction
            notes.add(byName(session, "author 5").visits);
        });
    }

    private static void readInPortions(SessionFactory sessions, Notes notes) {
        sessions.inTransaction(session -> {
            try (var stream = session.createSelectionQuery("from Author order by id", Author.class)
                    .setFetchSize(5)
                    .getResultStream()) {
                notes.add(stream.mapToInt(author -> author.books.size()).sum()); // a query between the portions
            }
            try (var scroll = session.createSelectionQuery("from Author order by id desc", Author.class)
                    .setFetchSize(3)
                    .scroll(ScrollMode.FORWARD_ONLY)) {
                scroll.next();
                notes.add(scroll.get().name);
            }
        });
    }

    private static void lockOptimistically(SessionFactory sessions, Notes notes) {
        try (var left = sessions.openSession();
                var right = sessions.openSession()) {
            var mine = byName(left, "author 20");
            var yours = byName(right, "author 20");
            mine.visits = 1;
            yours.visits = 2;
            commit(left);
            try {
                commit(right);
                notes.add("both committed");
            } catch (OptimisticLockException late) {
                notes.add("the second was too late");
            }
        }
        notes.add(sessions.fromTransaction(session -> byName(session, "author 20").visits));
    }

    private static void commit(Session session) {
        var transaction = session.beginTransaction();
        try {
            transaction.commit();
        } catch (RuntimeException failed) {
            if (transaction.isActive()) {
                transaction.rollback();
            }
            throw failed;
        }
    }

    private static void lockPessimistically(SessionFactory sessions, Notes notes) {
        sessions.inTransaction(holder -> {
            holder.createSelectionQuery("from Author where name = 'author 30'", Author.class)
                    .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                    .getSingleResult();
            try {
                sessions.inTransaction(
                        session -> session.createSelectionQuery("from Author where name = 'author 30'", Author.class)
                                .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                                .setHint("jakarta.persistence.lock.timeout", 0)
                                .getResultList());
                notes.add("not locked");
            } catch (LockTimeoutException | PessimisticLockException held) {
                notes.add("locked by another");
            }
            notes.add(sessions.fromTransaction(session -> session
                    .createSelectionQuery("from Author where name in ('author 30', 'author 31')", Author.class)
                    .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                    .setHint("jakarta.persistence.lock.timeout", -2)
                    .getResultList()
                    .stream()
                    .map(author -> author.name)
                    .toList()));
        });
    }

    private static void failAndGoOn(SessionFactory sessions, Notes notes) {
        for (int i = 0; i < 3; i++) {
            try {
                sessions.inTransaction(session -> {
                    session.persist(new Author("not kept"));
                    session.persist(new Author("author 1"));
                });
                notes.add("no failure");
            } catch (PersistenceException failed) {
                notes.add(failed.getClass().getSimpleName());
            }
        }
        notes.add(sessions.fromTransaction(session -> session.createSelectionQuery(
                        "select count(*) from Author where name = 'not kept'", Long.class)
                .getSingleResult()));
        sessions.getSchemaManager().validateMappedObjects();
        sessions.getSchemaManager().truncateMappedObjects();
        notes.add(sessions.fromTransaction(
                session -> session.createSelectionQuery("select count(*) from Author", Long.class)
                        .getSingleResult()));
    }

    private static Author byName(Session session, String name) {
        return session.createSelectionQuery("from Author where name = :name", Author.class)
                .setParameter("name", name)
                .getSingleResult();
    }
}
