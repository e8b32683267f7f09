package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CatalogBuilderTest {
    private final CatalogBuilder builder = new CatalogBuilder();
    private final StatementClassifier classifier = new StatementClassifier();
    private long oids = 20_000;

    @BeforeEach
    void someFunctions() {
        sql("twice", 'i', "SELECT $1 * 2");
        sql("mislabelled", 's', "SELECT nextval('s')");
        sql("writes", 'v', "INSERT INTO log VALUES (1) RETURNING id");
        plpgsql("counts", 's', "DECLARE n numeric(10, 2); BEGIN SELECT count(*) INTO n FROM users; RETURN n; END");
        plpgsql("locks", 'v', "BEGIN PERFORM pg_advisory_lock(1); END");
    }

    @Test
    void aStableFunctionOfWhichAllIsKnownIsARead() {
        assertThat(reasonOf("SELECT twice(1), public.twice(2), counts()")).isEqualTo(Reason.READ);
        assertThat(traits()).isZero();
    }

    @Test
    void aVolatileFunctionIsNoneAndLeavesNothingIfItsCodeSaysSo() {
        assertThat(reasonOf("SELECT writes()")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(traits()).isZero();
        assertThat(reasonOf("SELECT * FROM app.locks()")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void aLabelIsNotBelievedWhereTheCodeSaysOtherwise() {
        assertThat(reasonOf("SELECT mislabelled()")).isEqualTo(Reason.VOLATILE_FUNCTION);
    }

    @Test
    void aFunctionThatNobodyKnowsStaysUnknown() {
        assertThat(reasonOf("SELECT other()")).isEqualTo(Reason.UNKNOWN_FUNCTION);
    }

    @Test
    void anotherFunctionOfABuiltInsNameIsSeen() {
        sql("lower", 'v', "SELECT touch()");

        assertThat(reasonOf("SELECT lower('X')")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(reasonOf("SELECT LOWER('X')")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(reasonOf("SELECT \"lower\"('X')")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(reasonOf("SELECT pg_catalog.lower('X')")).isEqualTo(Reason.READ);
    }

    @Test
    void aFunctionOfTheNameOfAWordOfTheGrammarIsSeen() {
        assertThat(reasonOf("SELECT DISTINCT ON (name) join(1) FROM users")).isEqualTo(Reason.READ);

        sql("join", 'v', "SELECT 1");

        assertThat(reasonOf("SELECT DISTINCT ON (name) join(1) FROM users")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(reasonOf("SELECT * FROM users JOIN orders USING (id)")).isEqualTo(Reason.READ);
    }

    @Test
    void theWorstOverloadCounts() {
        sql("twice", 'v', "SELECT 1");

        assertThat(reasonOf("SELECT twice(1)")).isEqualTo(Reason.VOLATILE_FUNCTION);
    }

    @Test
    void whatAFunctionCallsCountsHoweverDeep() {
        plpgsql("outer_one", 's', "BEGIN RETURN middle(); END");
        sql("middle", 's', "SELECT inner_one()");
        plpgsql("inner_one", 's', "BEGIN PERFORM set_config('a.b', 'c', false); RETURN 1; END");

        assertThat(reasonOf("SELECT outer_one()")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void functionsThatCallEachOtherAreUnderstood() {
        plpgsql("even", 'i', "BEGIN RETURN n = 0 OR odd(n - 1); END");
        plpgsql("odd", 'i', "BEGIN RETURN n <> 0 AND even(n - 1); END");

        assertThat(reasonOf("SELECT even(4)")).isEqualTo(Reason.READ);
    }

    @Test
    void codeThatPutsItsSqlTogetherIsNotUnderstood() {
        plpgsql("dynamic", 's', "BEGIN EXECUTE 'SELECT ' || what INTO n; RETURN n; END");

        assertThat(reasonOf("SELECT dynamic()")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void aSetOfAnUpdateIsNoneOfTheSession() {
        plpgsql("updates", 'v', "BEGIN UPDATE users SET name = 'x' WHERE id = 1; RETURN 1; END");
        plpgsql("sets", 'v', "BEGIN IF true THEN SET work_mem = '3MB'; END IF; RETURN 1; END");

        reasonOf("SELECT updates()");
        assertThat(traits()).isZero();
        reasonOf("SELECT sets()");
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void whatMakesTheSessionForgetItsStatementsIsNotClean() {
        plpgsql("forgets", 'v', "BEGIN DEALLOCATE ALL; RETURN 1; END");
        sql("forgets_too", 'v', "DEALLOCATE ALL");

        reasonOf("SELECT forgets()");
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        reasonOf("SELECT forgets_too()");
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void codeThatMaintainsOrEmptiesMoreThanItNamesIsNotClean() {
        plpgsql("refreshes", 'v', "BEGIN REFRESH MATERIALIZED VIEW m; END");
        plpgsql("analyzes", 'v', "BEGIN ANALYZE; END");
        plpgsql("empties_all", 'v', "BEGIN TRUNCATE users CASCADE; END");
        plpgsql("empties", 'v', "BEGIN TRUNCATE users; END");

        for (String function : new String[] {"refreshes", "analyzes", "empties_all"}) {
            reasonOf("SELECT " + function + "()");
            assertThat(traits()).as(function).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        reasonOf("SELECT empties()");
        assertThat(traits()).isZero();
    }

    @Test
    void aBodyThatPostgresHasParsedIsReadToo() {
        sql("parsed", 's', "RETURN ($1 + 1)");
        sql("atomic", 's', "BEGIN ATOMIC\n SELECT 1;\n SELECT nextval('s'::regclass);\nEND");

        assertThat(reasonOf("SELECT parsed(1)")).isEqualTo(Reason.READ);
        assertThat(reasonOf("SELECT atomic()")).isEqualTo(Reason.VOLATILE_FUNCTION);
    }

    @Test
    void otherLanguagesAreTakenAtTheirWordOnlyIfTheyAreC() {
        builder.function(oids++, "similarity", false, false, 'i', "c", null);
        builder.function(oids++, "perl", false, false, 'i', "plperl", "return 1");

        assertThat(reasonOf("SELECT similarity('a', 'b')")).isEqualTo(Reason.READ);
        assertThat(reasonOf("SELECT perl()")).isEqualTo(Reason.VOLATILE_FUNCTION);
    }

    @Test
    void anAggregateIsWhatItsFunctionsAre() {
        long step = plpgsql("step", 's', "BEGIN RETURN nextval('s'); END");
        long aggregate = oids++;
        builder.function(aggregate, "agg", false, false, 'i', "internal", null);
        builder.aggregateRuns(aggregate, step, false);

        assertThat(reasonOf("SELECT agg(id) FROM users")).isEqualTo(Reason.VOLATILE_FUNCTION);
    }

    @Test
    void anOperatorIsWhatItsFunctionIs() {
        long locks = plpgsql("lock_it", 'v', "BEGIN PERFORM pg_advisory_lock(a); RETURN b; END");
        builder.operator("<+>", locks);

        assertThat(reasonOf("SELECT 1 <+> 2")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(reasonOf("SELECT 1 <+>-2")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        assertThat(reasonOf("SELECT 1 < 2")).isEqualTo(Reason.READ);
    }

    @Test
    void aFunctionThatIsWrittenAsAColumnIsSeen() {
        builder.function(oids++, "touched", false, true, 'v', "sql", "SELECT 1");

        assertThat(reasonOf("SELECT u.touched FROM users u")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(reasonOf("SELECT (1) . \"touched\"")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(reasonOf("SELECT touched FROM users")).isEqualTo(Reason.READ); // nothing to take for an argument

        sql("on_column", 's', "SELECT u.touched FROM users u");
        plpgsql("on_column_too", 's', "BEGIN RETURN (n).touched; END");
        assertThat(reasonOf("SELECT on_column()")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(reasonOf("SELECT on_column_too()")).isEqualTo(Reason.VOLATILE_FUNCTION);
    }

    @Test
    void aViewIsWhatItsDefinitionIs() {
        builder.view("plain", "SELECT id, twice(id) FROM users");
        builder.view("on_view", "SELECT * FROM setting");
        builder.view("setting", "SELECT set_config('work_mem', '3MB', false) AS s");
        builder.view("locking", "SELECT * FROM users FOR UPDATE");
        builder.view("activity", "SELECT * FROM pg_stat_activity");
        builder.view("mine", "SELECT * FROM users WHERE name = current_setting('app.' || 'user')");

        assertThat(reasonOf("SELECT * FROM plain, mine")).isEqualTo(Reason.READ);
        assertThat(traits()).isZero();
        assertThat(reasonOf("SELECT * FROM app.\"on_view\"")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        assertThat(reasonOf("TABLE locking")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(traits()).isZero();
        assertThat(reasonOf("SELECT 1 FROM ACTIVITY")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(reasonOf("INSERT INTO log SELECT * FROM setting")).isEqualTo(Reason.WRITE);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void sequencesAndUnloggedTablesAreForThePrimary() {
        builder.sequence("users_id_seq");
        builder.unlogged("cache");
        builder.child("all_caches", "cache");
        builder.foreign("far");

        assertThat(reasonOf("SELECT * FROM users_id_seq")).isEqualTo(Reason.SEQUENCE);
        assertThat(reasonOf("SELECT * FROM all_caches")).isEqualTo(Reason.UNLOGGED_TABLE);
        assertThat(reasonOf("SELECT * FROM far")).isEqualTo(Reason.OPAQUE_RELATION);
    }

    @Test
    void onlyAWriteRunsTriggersDefaultsAndWhatCascades() {
        long sets = plpgsql("sets_role", 'v', "BEGIN SET ROLE app; RETURN NEW; END");
        long stamps = plpgsql("stamps", 'v', "BEGIN NEW.at := now(); RETURN NEW; END");
        builder.trigger("triggered", sets);
        builder.trigger("stamped", stamps);
        builder.evaluatedOnWrite("defaulted", "locks()");
        builder.cascade("parent", "triggered");

        for (String table : new String[] {"triggered", "defaulted", "parent"}) {
            assertThat(reasonOf("SELECT * FROM " + table)).isEqualTo(Reason.READ);
            assertThat(traits()).as(table).isZero();
            assertThat(reasonOf("DELETE FROM " + table)).isEqualTo(Reason.WRITE);
            assertThat(traits()).as(table).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        reasonOf("INSERT INTO stamped (id) VALUES (1)");
        assertThat(traits()).isZero();
    }

    @Test
    void aViewPassesOnWhatIsWrittenToIt() {
        builder.view("seen_twice", "SELECT id FROM seen");
        builder.view("seen", "WITH x AS (SELECT 1) SELECT id FROM triggered");
        builder.trigger("triggered", plpgsql("sets_role", 'v', "BEGIN SET ROLE app; RETURN NEW; END"));

        assertThat(reasonOf("SELECT * FROM seen, seen_twice")).isEqualTo(Reason.READ);
        assertThat(traits()).isZero();
        for (String view : new String[] {"seen", "seen_twice"}) {
            reasonOf("UPDATE " + view + " SET id = 1");
            assertThat(traits()).as(view).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
    }

    @Test
    void aPartitionHasTheTriggersOfItsTableAndAChildHasNot() {
        builder.trigger("triggered", plpgsql("sets_role", 'v', "BEGIN SET ROLE app; RETURN NEW; END"));
        builder.partition("triggered", "part");
        builder.child("triggered", "child");

        reasonOf("INSERT INTO part (id) VALUES (1)");
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        reasonOf("INSERT INTO child (id) VALUES (1)");
        assertThat(traits()).isZero();
    }

    @Test
    void whatATypeChecksIsCheckedWhereverItIsMadeUseOf() {
        builder.typeRuns("checked", plpgsql("locks_too", 'v', "BEGIN PERFORM pg_advisory_lock(a); END"));
        builder.derivedType("checked", "made_of_it");
        builder.column("checked", "users");

        reasonOf("SELECT '5'::made_of_it");
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        reasonOf("INSERT INTO users VALUES (1)");
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        assertThat(reasonOf("SELECT * FROM users")).isEqualTo(Reason.READ);
        assertThat(traits()).isZero();
    }

    @Test
    void whatRowSecurityRunsCountsForReadsAndWrites() {
        builder.evaluatedAlways("secured", "(tenant = current_setting('app.tenant'))");
        builder.evaluatedAlways("locked", "(locks() IS NULL)");

        assertThat(reasonOf("SELECT * FROM secured")).isEqualTo(Reason.READ);
        assertThat(reasonOf("SELECT * FROM locked")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void anEventTriggerCountsForDefinitions() {
        long audit = plpgsql("audit", 'v', "BEGIN PERFORM set_config('a.b', 'c', false); END");
        builder.eventTrigger(audit);

        sql("made", 'v', "CREATE TABLE x AS SELECT 1");
        plpgsql("made_too", 'v', "BEGIN DROP TABLE x; END");

        for (String definition : new String[] {"CREATE TABLE x AS SELECT 1", "SELECT 1 INTO x"}) {
            reasonOf(definition);
            assertThat(traits()).as(definition).isEqualTo(Traits.RUNS_UNKNOWN_CODE | Traits.CREATES);
        }
        for (String calling : new String[] {"SELECT made()", "SELECT made_too()"}) {
            reasonOf(calling);
            assertThat(traits()).as(calling).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        reasonOf("DELETE FROM users");
        assertThat(traits()).isZero();
    }

    @Test
    void whatIsReachedWithoutItsNameCountsForAllThatEvaluates() {
        builder.reachedAnywhere(plpgsql("compares", 'i', "BEGIN PERFORM pg_advisory_lock(1); RETURN a < b; END"));

        for (String read :
                new String[] {"SELECT DISTINCT id FROM users", "EXPLAIN SELECT $1 IN ($2)", "(VALUES (1))"}) {
            assertThat(reasonOf(read)).as(read).isEqualTo(Reason.OPAQUE_RELATION);
            assertThat(traits()).as(read).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        for (String other : new String[] {"INSERT INTO users VALUES (1)", "DECLARE c CURSOR FOR SELECT 1"}) {
            reasonOf(other);
            assertThat(traits()).as(other).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        for (String nothing : new String[] {
            "BEGIN", "COMMIT", "SAVEPOINT a", "FETCH c", "LOCK TABLE users", "SHOW timezone", "SET work_mem = '3MB'"
        }) {
            assertThat(reasonOf(nothing)).as(nothing).isNotEqualTo(Reason.OPAQUE_RELATION);
            assertThat(traits() & Traits.RUNS_UNKNOWN_CODE).as(nothing).isZero();
        }
    }

    @Test
    void whatIsReachedWithoutItsNameIsJudgedByItsCodeAndNotByItsLabel() {
        builder.reachedAnywhere(plpgsql("unlabelled", 'v', "BEGIN RETURN a < b; END"));
        builder.function(oids, "in_c", false, false, 'v', "c", null);
        builder.reachedAnywhere(oids++);

        assertThat(reasonOf("SELECT DISTINCT id FROM users")).isEqualTo(Reason.READ);
        assertThat(traits()).isZero();

        builder.reachedAnywhere(2880); // PostgreSQL's own, and volatile

        assertThat(reasonOf("SELECT DISTINCT id FROM users")).isEqualTo(Reason.OPAQUE_RELATION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void aCallEvaluatesTheDefaultsOfArguments() {
        builder.defaults(sql("plain_default", 's', "SELECT $1"), "now(), twice(1)");
        builder.defaults(sql("locking_default", 's', "SELECT $1"), "locks()");
        builder.defaults(sql("long_default", 's', "SELECT $1"), null);

        assertThat(reasonOf("SELECT plain_default()")).isEqualTo(Reason.READ);
        assertThat(traits()).isZero();
        for (String function : new String[] {"locking_default", "long_default"}) {
            assertThat(reasonOf("SELECT " + function + "()")).isEqualTo(Reason.VOLATILE_FUNCTION);
            assertThat(traits()).as(function).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
    }

    @Test
    void anAggregateOfAVolatileFunctionOfPostgresLeavesSomething() {
        builder.function(oids, "sets", false, false, 'i', "internal", null);
        builder.aggregateRuns(oids++, 2078, true);

        assertThat(reasonOf("SELECT sets(name, false) FROM users")).isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void aFunctionInCThatRunsWhatItIsToldIsNotTakenAtItsWord() {
        builder.function(oids++, "crosstab", false, false, 's', "c", "crosstab");

        assertThat(reasonOf("SELECT * FROM crosstab('SELECT 1, pg_advisory_lock(5), 2') AS c(a int)"))
                .isEqualTo(Reason.VOLATILE_FUNCTION);
        assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
    }

    @Test
    void whatCodeCreatesMayBeTemporary() {
        sql("creates", 'v', "CREATE TABLE x (id int); SELECT 1");
        plpgsql("creates_too", 'v', "BEGIN CREATE TABLE x AS SELECT 1; END");

        for (String function : new String[] {"creates", "creates_too"}) {
            reasonOf("SELECT " + function + "()");
            assertThat(traits()).as(function).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        reasonOf("CREATE TABLE x AS SELECT 1");
        assertThat(traits()).isEqualTo(Traits.CREATES);
    }

    @Test
    void namesAreFoundAsPostgresFindsThem() {
        String longName = "x".repeat(62) + "ß";
        builder.sequence("x".repeat(62));
        builder.sequence("Quoted \"Name\"");
        builder.sequence("täglich");
        builder.sequence("aaaaaaaabbbbbbbb");

        assertThat(reasonOf("SELECT * FROM " + longName)).isEqualTo(Reason.SEQUENCE);
        assertThat(reasonOf("SELECT * FROM \"Quoted \"\"Name\"\"\"")).isEqualTo(Reason.SEQUENCE);
        assertThat(reasonOf("SELECT * FROM TäGLICH")).isEqualTo(Reason.SEQUENCE);
        assertThat(reasonOf("SELECT * FROM \"TÄGLICH\"")).isEqualTo(Reason.READ);
        assertThat(reasonOf("SELECT * FROM aaaaaaaaBBBBBBBB")).isEqualTo(Reason.SEQUENCE);
        assertThat(reasonOf("SELECT * FROM bbbbbbbbaaaaaaaa")).isEqualTo(Reason.READ);
    }

    @Test
    void aNameInAnotherEncodingMayBeAny() {
        builder.sequence("täglich");
        Catalog catalog = builder.build().inAnyEncoding();
        byte[] sql = "SELECT * FROM jährlich".getBytes(StandardCharsets.ISO_8859_1);

        assertThat(classifier.classify(Unpooled.wrappedBuffer(sql), 0, sql.length, true, catalog))
                .isEqualTo(Reason.SEQUENCE);
    }

    @Test
    void untilTheCatalogueIsReadEveryNameMayMeanAnything() {
        byte[] read = "SELECT * FROM users".getBytes(StandardCharsets.UTF_8);
        for (Catalog catalog : new Catalog[] {Catalog.AWAITED, builder.build().outdated()}) {
            assertThat(classifier.classify(Unpooled.wrappedBuffer(read), 0, read.length, true, catalog))
                    .isEqualTo(Reason.NO_CATALOG);
            assertThat(traits()).isEqualTo(Traits.RUNS_UNKNOWN_CODE);
        }
        for (String more : new String[] {
            "DECLARE c CURSOR FOR SELECT * FROM users",
            "PREPARE s AS SELECT * FROM users",
            "CREATE TEMP TABLE x AS SELECT * FROM users",
            "SELECT set_config('work_mem', '3MB', true) FROM users",
            "SELECT 'a' <+> 'b'"
        }) {
            byte[] bytes = more.getBytes(StandardCharsets.UTF_8);
            classifier.classify(Unpooled.wrappedBuffer(bytes), 0, bytes.length, true, Catalog.AWAITED);
            assertThat(traits() & Traits.RUNS_UNKNOWN_CODE).as(more).isNotZero();
        }
        byte[] nothing = "SELECT 1 + 1, now()".getBytes(StandardCharsets.UTF_8);
        assertThat(classifier.classify(Unpooled.wrappedBuffer(nothing), 0, nothing.length, true, Catalog.AWAITED))
                .isEqualTo(Reason.READ);
    }

    private long sql(String name, char volatility, String body) {
        builder.function(oids, name, false, false, volatility, "sql", body);
        return oids++;
    }

    private long plpgsql(String name, char volatility, String body) {
        builder.function(oids, name, false, false, volatility, "plpgsql", body);
        return oids++;
    }

    private int traits() {
        return classifier.traits();
    }

    private Reason reasonOf(String sql) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        return classifier.classify(Unpooled.wrappedBuffer(bytes), 0, bytes.length, true, builder.build());
    }
}
