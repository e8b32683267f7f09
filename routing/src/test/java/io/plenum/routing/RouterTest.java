package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class RouterTest {
    private final StatementClassifier classifier = new StatementClassifier();
    private final Router router = new Router();

    /** The statements of one batch, separated by {@code |}, each a message of its own. */
    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        SELECT 1                                                   > READ
        SELECT 1 | SELECT 2                                        > READ
        SELECT 1 | -- empty                                        > READ
        -- empty                                                   > EMPTY
        -- empty | SELECT 1                                        > READ
        SELECT 1 | INSERT INTO t VALUES (1)                        > WRITE
        INSERT INTO t VALUES (1) | SELECT 1                        > WRITE
        SELECT 1 | SELECT f()                                      > UNKNOWN_FUNCTION
        SELECT f() | SELECT 1 FOR UPDATE                           > LOCKING_READ
        BEGIN                                                      > TRANSACTION
        BEGIN | SELECT 1                                           > TRANSACTION
        BEGIN | INSERT INTO t VALUES (1)                           > WRITE
        BEGIN READ ONLY                                            > READ_ONLY_TRANSACTION
        BEGIN READ ONLY | SELECT 1                                 > READ_ONLY_TRANSACTION
        BEGIN READ ONLY | SELECT 1 | COMMIT                        > READ_ONLY_TRANSACTION
        BEGIN READ ONLY | SELECT 1; SELECT 2 | ROLLBACK | SELECT 3 > READ_ONLY_TRANSACTION
        BEGIN READ ONLY | ROLLBACK | INSERT INTO t VALUES (1)      > WRITE
        BEGIN READ ONLY | COMMIT | BEGIN                           > TRANSACTION
        BEGIN READ ONLY | COMMIT | BEGIN READ WRITE                > READ_WRITE_TRANSACTION
        BEGIN READ ONLY | SELECT f()                               > UNKNOWN_FUNCTION
        BEGIN READ ONLY | SET TRANSACTION READ WRITE               > READ_WRITE_TRANSACTION
        BEGIN | SET TRANSACTION READ ONLY | SELECT 1 | COMMIT      > READ_ONLY_TRANSACTION
        BEGIN | SET TRANSACTION READ ONLY | SELECT f()             > UNKNOWN_FUNCTION
        BEGIN | SET TRANSACTION ISOLATION LEVEL SERIALIZABLE       > SERIALIZABLE
        SET TRANSACTION READ ONLY | SELECT 1                       > READ_ONLY_MODE
        BEGIN READ ONLY | SELECT pg_is_in_recovery()               > NODE_LOCAL
        BEGIN READ ONLY | SELECT pg_advisory_lock(1)               > SESSION_LOCK
        SELECT 1 | BEGIN READ ONLY                                 > TRANSACTION
        BEGIN READ WRITE                                           > READ_WRITE_TRANSACTION
        BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY              > SERIALIZABLE
        COMMIT                                                     > TRANSACTION_END
        SELECT 1 | COMMIT                                          > TRANSACTION_END
        SET work_mem = 1 | INSERT INTO t VALUES (1)                > SESSION_SETTING
        INSERT INTO t VALUES (1) | SET work_mem = 1                > SESSION_SETTING
        SET application_name = 'x' | SELECT 1                      > REPORTED_SETTING
        SET work_mem = 1 | LISTEN x                                > LISTEN
        LISTEN x | SET work_mem = 1                                > LISTEN
        SET ROLE bob | SET work_mem = 1                            > SESSION_ROLE
        SELECT pg_advisory_unlock(1) | SET ROLE bob                > SESSION_LOCK
        """)
    void aBatchGoesWhereAllOfItMayGo(String batch, Reason expected) {
        assertThat(decide(RoutingPolicy.AUTO, false, true, batch)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        SELECT 1                                 > READ
        BEGIN                                    > READ_ONLY_TRANSACTION
        BEGIN ISOLATION LEVEL REPEATABLE READ    > READ_ONLY_TRANSACTION
        BEGIN | SELECT 1 | COMMIT                > READ_ONLY_TRANSACTION
        BEGIN; SELECT 1; COMMIT                  > READ_ONLY_TRANSACTION
        BEGIN READ ONLY                          > READ_ONLY_TRANSACTION
        BEGIN READ WRITE                         > READ_WRITE_TRANSACTION
        BEGIN | BEGIN READ WRITE                 > READ_WRITE_TRANSACTION
        BEGIN ISOLATION LEVEL SERIALIZABLE       > SERIALIZABLE
        BEGIN | INSERT INTO t VALUES (1)         > WRITE
        INSERT INTO t VALUES (1)                 > WRITE
        """)
    void aClientThatIsReadOnlyByDefaultNeedNotSaySo(String batch, Reason expected) {
        assertThat(decide(RoutingPolicy.AUTO, true, true, batch)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        SELECT 1                   > false > NOT_DECLARED
        SELECT 1                   > true  > READ
        -- empty                   > false > NOT_DECLARED
        BEGIN READ ONLY            > false > READ_ONLY_TRANSACTION
        BEGIN READ ONLY | SELECT 1 > false > READ_ONLY_TRANSACTION
        BEGIN                      > false > TRANSACTION
        BEGIN                      > true  > READ_ONLY_TRANSACTION
        BEGIN READ WRITE           > true  > READ_WRITE_TRANSACTION
        INSERT INTO t VALUES (1)   > false > WRITE
        """)
    void theExplicitPolicyTakesOnlyWhatTheClientDeclared(String batch, boolean readOnly, Reason expected) {
        assertThat(decide(RoutingPolicy.EXPLICIT, readOnly, true, batch)).isEqualTo(expected);
    }

    @Test
    void withRoutingOffEverythingGoesToThePrimaryAndStateOfTheSessionIsStillSeen() {
        assertThat(decide(RoutingPolicy.OFF, true, true, "SELECT 1")).isEqualTo(Reason.ROUTING_OFF);
        assertThat(decide(RoutingPolicy.OFF, true, true, "BEGIN READ ONLY")).isEqualTo(Reason.ROUTING_OFF);
        assertThat(decide(RoutingPolicy.OFF, true, true, "LISTEN x | SELECT 1")).isEqualTo(Reason.LISTEN);
        assertThat(decide(RoutingPolicy.OFF, true, true, "SET x = 1 | SELECT 1"))
                .isEqualTo(Reason.SESSION_SETTING);
        assertThat(decide(RoutingPolicy.OFF, true, true, "SELECT 1 | RESET ROLE"))
                .isEqualTo(Reason.SESSION_ROLE);
    }

    @Test
    void textThatCannotBeTrustedGoesToThePrimary() {
        assertThat(decide(RoutingPolicy.AUTO, false, false, "SELECT 1")).isEqualTo(Reason.UNSAFE_TEXT);
        assertThat(decide(RoutingPolicy.AUTO, true, false, "BEGIN READ ONLY")).isEqualTo(Reason.UNSAFE_TEXT);
        assertThat(decide(RoutingPolicy.AUTO, true, false, "BEGIN")).isEqualTo(Reason.UNSAFE_TEXT);
        assertThat(decide(RoutingPolicy.AUTO, false, false, "SET x = 1")).isEqualTo(Reason.SESSION_SETTING);
    }

    /** The first batch of a transaction, behind a BEGIN that was said apart. */
    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        TRANSACTION           > false > SELECT 1                       > TRANSACTION
        TRANSACTION           > false > INSERT INTO t VALUES (1)       > WRITE
        TRANSACTION           > false > SET TRANSACTION READ ONLY      > READ_ONLY_TRANSACTION
        TRANSACTION           > false > SELECT f()                     > UNKNOWN_FUNCTION
        READ_ONLY_TRANSACTION > false > SELECT 1                       > READ_ONLY_TRANSACTION
        READ_ONLY_TRANSACTION > false > SELECT f()                     > UNKNOWN_FUNCTION
        READ_ONLY_TRANSACTION > false > SELECT * FROM pg_class         > SYSTEM_CATALOG
        READ_ONLY_TRANSACTION > true  > SELECT f()                     > READ_ONLY_TRANSACTION
        READ_ONLY_TRANSACTION > true  > SELECT * FROM pg_class         > READ_ONLY_TRANSACTION
        READ_ONLY_TRANSACTION > true  > SAVEPOINT a                    > READ_ONLY_TRANSACTION
        READ_ONLY_TRANSACTION > false > SELECT pg_is_in_recovery()     > NODE_LOCAL
        READ_ONLY_TRANSACTION > true  > SELECT pg_is_in_recovery()     > READ_ONLY_TRANSACTION
        READ_ONLY_TRANSACTION > true  > COPY t TO STDOUT               > READ_ONLY_TRANSACTION
        READ_ONLY_TRANSACTION > true  > SELECT pg_listening_channels() > NODE_LOCAL
        READ_ONLY_TRANSACTION > true  > SELECT pg_advisory_xact_lock(1) > LOCKING_READ
        READ_ONLY_TRANSACTION > true  > SELECT pg_advisory_lock(1)     > SESSION_LOCK
        READ_ONLY_TRANSACTION > true  > SELECT nextval('s')            > SEQUENCE
        READ_ONLY_TRANSACTION > true  > SET TRANSACTION READ WRITE     > READ_WRITE_TRANSACTION
        READ_ONLY_TRANSACTION > true  > INSERT INTO t VALUES (1)       > WRITE
        READ_ONLY_TRANSACTION > true  > SELECT f(); COMMIT             > UNKNOWN_FUNCTION
        READ_ONLY_TRANSACTION > true  > COMMIT; SELECT f()             > UNKNOWN_FUNCTION
        READ_ONLY_TRANSACTION > true  > COMMIT; SELECT 1               > READ_ONLY_TRANSACTION
        """)
    void theFirstStatementChoosesWhereBeginIsSaid(Reason begin, boolean declared, String sql, Reason expected) {
        router.begin(RoutingPolicy.AUTO, false, true);
        router.begun(begin, declared);
        Reason first = classify(sql);
        router.statement(first, classifier.traits());

        assertThat(router.decide()).isEqualTo(expected);
    }

    /** The same where the transaction could begin anew elsewhere as long as it has only read. */
    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        SELECT 1                                                         > READ_SO_FAR
        SELECT 1; SELECT 2 | -- nothing                                  > READ_SO_FAR
        SELECT 1 | COMMIT                                                > READ_SO_FAR
        SELECT 1; COMMIT                                                 > READ_SO_FAR
        COMMIT; BEGIN                                                    > TRANSACTION
        SELECT 1 | BEGIN                                                 > TRANSACTION
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ | SELECT 1       > TRANSACTION
        SET TRANSACTION READ ONLY | SELECT 1                             > READ_ONLY_TRANSACTION
        SELECT f()                                                       > UNKNOWN_FUNCTION
        SELECT 1 | INSERT INTO t VALUES (1)                              > WRITE
        SELECT 1 | SAVEPOINT a                                           > UTILITY
        /* plenum:primary */ SELECT 1                                    > HINTED_PRIMARY
        """)
    void transactionThatHasOnlyReadMayReadOnAReplica(String batch, Reason expected) {
        router.begin(RoutingPolicy.AUTO, false, true);
        router.hint(HintPolicy.ON, RoutingHint.AUTO);
        router.begun(Reason.TRANSACTION, false);
        router.tentative();
        statements(batch);
        assertThat(router.decide()).isEqualTo(expected);

        router.bound();
        assertThat(router.decide()).isNotEqualTo(Reason.READ_SO_FAR);

        router.begin(RoutingPolicy.EXPLICIT, false, true);
        router.begun(Reason.TRANSACTION, false);
        router.tentative();
        statements(batch);
        assertThat(router.decide()).isNotEqualTo(Reason.READ_SO_FAR);
    }

    @Test
    void whatIsDeclaredEndsWithTheTransaction() {
        router.begin(RoutingPolicy.AUTO, false, true);
        router.begun(Reason.READ_ONLY_TRANSACTION, true);
        statements("SELECT f() | COMMIT");
        assertThat(router.decide()).isEqualTo(Reason.READ_ONLY_TRANSACTION);

        statements("SELECT f()");
        assertThat(router.decide()).isEqualTo(Reason.UNKNOWN_FUNCTION);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        BEGIN                                                 > BEGIN
        begin;                                                > BEGIN
        /* why */ BEGIN WORK ; -- so                          > BEGIN
        BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY      > BEGIN
        BEGIN READ ONLY DEFERRABLE                            > BEGIN
        START TRANSACTION                                     > START
        START TRANSACTION READ ONLY                           > START
        SET TRANSACTION READ ONLY                             > MODES
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ       > MODES
        COMMIT                                                > COMMIT
        END TRANSACTION;                                      > COMMIT
        ROLLBACK WORK                                         > ROLLBACK
        ABORT                                                 > ROLLBACK
        BEGIN READ WRITE                                      > NONE
        BEGIN ISOLATION LEVEL SERIALIZABLE                    > NONE
        BEGIN READ ONLY, SERIALIZABLE                         > NONE
        BEGIN READ ONLY,                                      > NONE
        BEGIN WORK TRANSACTION                                > NONE
        START                                                 > NONE
        START WORK                                            > NONE
        BEGIN; SELECT 1                                       > NONE
        BEGIN; BEGIN                                          > NONE
        BEGIN /* and no end                                   > NONE
        "BEGIN"                                               > NONE
        EXPLAIN BEGIN                                         > NONE
        SET TRANSACTION READ WRITE                            > NONE
        SET TRANSACTION SNAPSHOT '1'                          > NONE
        SET LOCAL TRANSACTION READ ONLY                       > NONE
        SET TRANSACTION                                       > NONE
        COMMIT AND CHAIN                                      > NONE
        COMMIT PREPARED 'x'                                   > NONE
        COMMIT; SELECT 1                                      > NONE
        COMMIT 'x                                             > NONE
        ROLLBACK TO a                                         > NONE
        SELECT 1                                              > NONE
        ;                                                     > NONE
        """)
    void onlyWhatIsWhollyUnderstoodIsACommand(String sql, TransactionCommand expected) {
        classify(sql);

        assertThat(classifier.command()).isEqualTo(expected);
    }

    @Test
    void aDoubtSendsReadsToThePrimary() {
        router.begin(RoutingPolicy.AUTO, false, true);
        router.statement(Reason.READ);
        router.doubt(Reason.INCOMPLETE_BATCH);
        assertThat(router.decide()).isEqualTo(Reason.INCOMPLETE_BATCH);

        router.begin(RoutingPolicy.AUTO, false, true);
        router.statement(Reason.READ_ONLY_TRANSACTION);
        router.statement(Reason.READ);
        router.doubt(Reason.FUNCTION_CALL);
        assertThat(router.decide()).isEqualTo(Reason.FUNCTION_CALL);
    }

    @Test
    void aBatchWithoutStatementsMayGoAnywhere() {
        router.begin(RoutingPolicy.AUTO, false, true);
        assertThat(router.decide()).isEqualTo(Reason.EMPTY);
    }

    @Test
    void nothingIsKeptFromTheBatchBefore() {
        assertThat(decide(RoutingPolicy.AUTO, false, true, "SET x = 1")).isEqualTo(Reason.SESSION_SETTING);
        assertThat(decide(RoutingPolicy.AUTO, false, true, "SELECT 1")).isEqualTo(Reason.READ);
    }

    @ParameterizedTest
    @EnumSource
    void aReplicaIsNeverReachedFromAReasonThatNamesThePrimary(Reason reason) {
        for (RoutingPolicy policy : RoutingPolicy.values()) {
            for (int order = 0; order < 2; order++) {
                router.begin(policy, false, true);
                router.statement(order == 0 ? reason : Reason.READ);
                router.statement(order == 0 ? Reason.READ : reason);
                if (reason.target() == Target.PRIMARY) {
                    assertThat(router.decide().target()).isEqualTo(Target.PRIMARY);
                }
                assertThat(router.decide().pins()).isEqualTo(reason.pins());
                assertThat(router.decide().changesSettings()).isEqualTo(reason.changesSettings());
            }
        }
    }

    static Stream<Reason> statesOfTheSession() {
        return Stream.of(Reason.values()).filter(Reason::leavesState);
    }

    @ParameterizedTest
    @MethodSource("statesOfTheSession")
    void noOtherReasonHidesStateOfTheSession(Reason state) {
        for (Reason other : Reason.values()) {
            router.begin(RoutingPolicy.AUTO, true, false);
            router.statement(state);
            router.doubt(other);
            assertThat(router.decide().leavesState()).isTrue();
            router.begin(RoutingPolicy.AUTO, true, false);
            router.doubt(other);
            router.statement(state);
            assertThat(router.decide().leavesState()).isTrue();
        }
    }

    @Test
    void aChangeOfSettingsIsHiddenByPinsOnly() {
        for (Reason change : Reason.values()) {
            for (Reason other : Reason.values()) {
                router.begin(RoutingPolicy.OFF, true, false);
                router.statement(change);
                router.doubt(other);
                assertThat(router.decide().pins()).isEqualTo(change.pins() || other.pins());
                assertThat(router.decide().leavesState()).isEqualTo(change.leavesState() || other.leavesState());
                if (change.changesSettings()) {
                    assertThat(router.decide().changesSettings()).isEqualTo(!other.pins());
                }
            }
        }
    }

    @Test
    void policiesAreFoundByTheNamesOfTheirSetting() {
        for (RoutingPolicy policy : RoutingPolicy.values()) {
            assertThat(RoutingPolicy.named(policy.label())).isEqualTo(policy);
        }
        assertThat(RoutingPolicy.named(" Auto ")).isEqualTo(RoutingPolicy.AUTO);
        assertThat(RoutingPolicy.named("on")).isNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        ON      > AUTO    > SELECT 1                                 > READ
        ON      > AUTO    > /* plenum:primary */ SELECT 1            > HINTED_PRIMARY
        PRIMARY > AUTO    > /*plenum:PRIMARY*/ SELECT 1              > HINTED_PRIMARY
        OFF     > AUTO    > /* plenum:primary */ SELECT 1            > READ
        ON      > PRIMARY > SELECT 1                                 > HINTED_PRIMARY
        OFF     > PRIMARY > SELECT 1                                 > READ
        ON      > REPLICA > /* plenum:primary */ SELECT 1            > HINTED_PRIMARY
        ON      > PRIMARY > /* plenum:replica */ SELECT 1            > READ
        ON      > AUTO    > SELECT 1 | /* plenum:primary */ SELECT 2 > HINTED_PRIMARY
        ON      > AUTO    > /* plenum:replica */ SELECT f()          > HINTED_REPLICA
        ON      > REPLICA > SELECT pg_is_in_recovery()               > HINTED_REPLICA
        PRIMARY > REPLICA > SELECT pg_is_in_recovery()               > NODE_LOCAL
        ON      > REPLICA > DELETE FROM t                            > WRITE
        ON      > REPLICA > SELECT 1 FOR UPDATE                      > LOCKING_READ
        ON      > REPLICA > SELECT nextval('s')                      > SEQUENCE
        ON      > REPLICA > BEGIN                                    > TRANSACTION
        ON      > AUTO    > /* x */ /* plenum:primary */ SELECT 1    > READ
        ON      > AUTO    > /* plenum:primary please */ SELECT 1     > READ
        ON      > AUTO    > /* plenum:primary                        > NOT_UNDERSTOOD
        """)
    void aHintCountsAsFarAsItIsAllowed(HintPolicy policy, RoutingHint session, String batch, Reason expected) {
        router.begin(RoutingPolicy.AUTO, false, true);
        router.hint(policy, session);
        statements(batch);

        assertThat(router.decide()).isEqualTo(expected);
    }

    @Test
    void aHintDeclaresWhatOnlyDeclaredReadsMay() {
        router.begin(RoutingPolicy.EXPLICIT, false, true);
        router.hint(HintPolicy.ON, RoutingHint.REPLICA);
        statements("SELECT 1");

        assertThat(router.decide()).isEqualTo(Reason.READ);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        SELECT 1        > SERIALIZABLE
        BEGIN READ ONLY > SERIALIZABLE
        DELETE FROM t   > WRITE
        -- empty        > EMPTY
        """)
    void whatIsSerializableByDefaultNeedsThePrimary(String batch, Reason expected) {
        router.begin(RoutingPolicy.AUTO, false, true);
        router.serializable();
        statements(batch);

        assertThat(router.decide()).isEqualTo(expected);
    }

    private Reason decide(RoutingPolicy policy, boolean readOnlyByDefault, boolean safeText, String batch) {
        router.begin(policy, readOnlyByDefault, safeText);
        statements(batch);
        return router.decide();
    }

    private void statements(String batch) {
        for (String sql : batch.split("\\|", -1)) {
            Reason classified = classify(sql);
            router.statement(classified, classifier.traits());
        }
    }

    private Reason classify(String sql) {
        ByteBuf text = Unpooled.wrappedBuffer(sql.getBytes(StandardCharsets.UTF_8));
        return classifier.classify(text, 0, text.readableBytes());
    }
}
