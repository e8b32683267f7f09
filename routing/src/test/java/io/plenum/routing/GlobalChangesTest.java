package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which texts of SQL change databases and roles, and which. */
class GlobalChangesTest {
    private final GlobalChanges changes = new GlobalChanges();
    private final StatementClassifier classifier = new StatementClassifier();

    /** In the second column {@code !x} is a claim of database x, {@code r@x} a change of role r in database x, {@code *} is all. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        DROP DATABASE x                                 | !x *@x
        drop database if exists "X y" WITH (FORCE);     | !X y *@X y
        DROP DATABASE "a""b"                            | !a"b *@a"b
        /* why */ DROP -- it ↵ DATABASE Test_App        | !test_app *@test_app
        CREATE DATABASE x                               | !template1 *@x
        CREATE DATABASE "x" OWNER "o" TEMPLATE "t";     | !t *@x
        CREATE DATABASE x WITH TEMPLATE = T ENCODING 'UTF8' | !t *@x
        CREATE DATABASE x TEMPLATE='T x'                | !T x *@x
        CREATE DATABASE x TEMPLATE DEFAULT OWNER o      | !template1 *@x
        CREATE DATABASE template                        | !template1 *@template
        ALTER DATABASE x RENAME TO y                    | !x *@x
        ALTER DATABASE x SET TABLESPACE pg_default      | !x *@x
        ALTER DATABASE x SET timezone TO 'UTC'          | *@x
        ALTER DATABASE x RESET ALL                      | *@x
        DROP ROLE r                                     | r@*
        DROP USER IF EXISTS r, "S", t                   | r@* S@* t@*
        DROP GROUP r                                    | r@*
        CREATE USER r WITH PASSWORD 'in database x'     | r@*
        CREATE ROLE "R" LOGIN                           | R@*
        ALTER ROLE r SET work_mem = 1                   | r@*
        ALTER USER r IN DATABASE x SET search_path = a, b | r@x
        ALTER ROLE ALL SET work_mem = 1                 | *@*
        ALTER ROLE all IN DATABASE "x" RESET ALL        | *@x
        ALTER ROLE "all" RESET ALL                      | all@*
        ALTER ROLE CURRENT_USER SET work_mem = 1        | *@*
        ALTER ROLE r RENAME TO "S"                      | r@* S@*
        CREATE ROLE mapping                             | mapping@*
        DROP DATABASE x; SELECT 1; DROP ROLE r          | !x *@x r@*
        BEGIN; ALTER ROLE r SET a.b = 'c'; COMMIT       | r@*
        """)
    void namesWhatATextChanges(String sql, String told) {
        assertThat(isChange(sql)).isTrue();
        assertThat(read(sql)).isEqualTo(told);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "DROP TABLE x",
                "DROP TABLE database",
                "DROP TABLE \"user\"",
                "CREATE TABLE role (i int)",
                "ALTER TABLE x OWNER TO \"role\"",
                "ALTER DEFAULT PRIVILEGES FOR ROLE r GRANT SELECT ON TABLES TO s",
                "COMMENT ON DATABASE x IS 'y'",
                "GRANT CONNECT ON DATABASE x TO r",
                "EXPLAIN SELECT 1",
                "SET ROLE r",
                "SELECT 'DROP DATABASE x'",
                "DO 'BEGIN DROP ROLE r; END'",
            })
    void otherTextsAreNotRead(String sql) {
        assertThat(isChange(sql)).isFalse();
        assertThat(read(sql)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER DATABASE x OWNER TO tablespace",
                "ALTER DATABASE x CONNECTION LIMIT 1",
                "ALTER ROLE r PASSWORD 'set'",
                "ALTER USER r WITH SUPERUSER",
                "ALTER GROUP r ADD USER a, b",
                "CREATE USER MAPPING FOR r SERVER s",
                "CREATE USER MAPPING IF NOT EXISTS FOR r SERVER s",
                "DROP USER MAPPING IF EXISTS FOR r SERVER s",
                "ALTER USER MAPPING FOR r SERVER s OPTIONS (SET user 'x')",
                "DROP DATABASE U&\"x\"",
                "DROP DATABASE 'x'",
                "DROP DATABASE",
            })
    void nothingIsToldOfWhatIsNoneOrHasNoNameOrMattersToNoSession(String sql) {
        assertThat(read(sql)).isEmpty();
    }

    private boolean isChange(String sql) {
        ByteBuf text = text(sql);
        classifier.classify(text, 0, text.writerIndex(), true, Catalog.OFF);
        return (classifier.traits() & Traits.CHANGES_GLOBALS) != 0;
    }

    private String read(String sql) {
        ByteBuf text = text(sql);
        var told = new StringJoiner(" ");
        changes.read(text, 0, text.writerIndex(), new GlobalChanges.Sink() {
            @Override
            public void claims(String database) {
                told.add("!" + database);
            }

            @Override
            public void changes(@Nullable String role, @Nullable String database) {
                told.add((role == null ? "*" : role) + "@" + (database == null ? "*" : database));
            }
        });
        return told.toString();
    }

    private static ByteBuf text(String sql) {
        return Unpooled.copiedBuffer(sql.replace('↵', '\n'), StandardCharsets.UTF_8);
    }
}
