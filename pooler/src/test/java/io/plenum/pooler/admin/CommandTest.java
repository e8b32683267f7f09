package io.plenum.pooler.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        SHOW HELP                                  | HELP                      |
        show help;                                 | HELP                      |
        RELOAD                                     | RELOAD                    |
        reload ; ;                                 | RELOAD                    |
        PAUSE                                      | PAUSE                     |
        PAUSE app                                  | PAUSE                     | app
        pAuSe my-app.2;                            | PAUSE                     | my-app.2
        RESUME "My \"\"App\"\"\"                    | RESUME                    | My "App"
        RESUME 'app'                               | RESUME                    | app
        DISABLE app                                | DISABLE                   | app
        ENABLE app                                 | ENABLE                    | app
        RECONNECT                                  | RECONNECT                 |
        WAIT_CLOSE app                             | WAIT_CLOSE                | app
        KILL                                       | KILL                      |
        KILL_CLIENT 17                             | KILL_CLIENT               | 17
        SHUTDOWN                                   | SHUTDOWN                  |
        shutdown wait_for_servers                  | SHUTDOWN_WAIT_FOR_SERVERS |
        SHUTDOWN WAIT_FOR_CLIENTS;                 | SHUTDOWN_WAIT_FOR_CLIENTS |
        SET pool_mode = session                    | SET                       | pool_mode
        SET pool_mode=session;                     | SET                       | pool_mode
        SET nonsense = 1                           | SET                       | nonsense
        SET extra_float_digits = 3                 | SESSION_SET               | extra_float_digits
        SET application_name = 'a b'               | SESSION_SET               | application_name
        SET client_encoding TO 'UTF8'              | SESSION_SET               | client_encoding
        SET DateStyle = 'ISO'                      | SESSION_SET               | datestyle
        SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY | SESSION_SET     | session
        SET TIME ZONE 'UTC'                        | SESSION_SET               | time
        SUSPEND                                    | SUSPEND                   |
        SELECT 1                                   | SELECT                    |
        select version();                          | SELECT                    |
        SELECT pools                               | SHOW                      |
        BEGIN                                      | SESSION                   | BEGIN
        begin transaction isolation level serializable | SESSION               | BEGIN
        START TRANSACTION READ ONLY                | SESSION                   | START TRANSACTION
        END;                                       | SESSION                   | COMMIT
        ABORT                                      | SESSION                   | ROLLBACK
        DISCARD ALL                                | SESSION                   | DISCARD ALL
        RESET ALL                                  | SESSION                   | RESET
        /* from a driver */ RELOAD -- at once      | RELOAD                    |
        """)
    void commandIsUnderstood(String text, Verb verb, String name) throws Exception {
        Command command = Command.parse(text);

        assertThat(command).isNotNull();
        assertThat(command.verb()).isEqualTo(verb);
        assertThat(command.name()).isEqualTo(name == null ? "" : name);
    }

    @Test
    void valueOfASettingIsWhatStandsBehindTheSign() throws Exception {
        assertThat(value("SET server_reset_query = 'SELECT ''a'' ; b'")).isEqualTo("SELECT 'a' ; b");
        assertThat(value("SET max_client_conn=100;")).isEqualTo("100");
        assertThat(value("SET server_idle_timeout TO 1.5")).isEqualTo("1.5");
        assertThat(value("SET server_reset_query = ''")).isEmpty();
        assertThat(value("SET server_reset_query =")).isEmpty();
    }

    private static String value(String text) throws Exception {
        Command command = Command.parse(text);
        assertThat(command).isNotNull();
        return command.value();
    }

    @Test
    void everyTableIsFoundHoweverItIsWritten() throws Exception {
        for (ShowTable table : ShowTables.all()) {
            for (String text : new String[] {
                "SHOW " + table.word(), "show " + table.word().toLowerCase(java.util.Locale.ROOT) + " ; "
            }) {
                Command command = Command.parse(text);
                assertThat(command).as(text).isNotNull();
                assertThat(command.table()).as(text).isSameAs(table);
            }
        }
        Command zone = Command.parse("SHOW TIME ZONE");
        assertThat(zone).isNotNull();
        assertThat(zone.table()).isSameAs(ShowTables.find("timezone"));
        Command isolation = Command.parse("SHOW TRANSACTION ISOLATION LEVEL");
        assertThat(isolation).isNotNull();
        assertThat(isolation.table()).isSameAs(ShowTables.find("default_transaction_isolation"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", ";", " ; ;; ", "-- nothing", "/* nothing */", "\n\t"})
    void nothingIsTheEmptyCommand(String text) throws Exception {
        assertThat(Command.parse(text)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SHOW",
                "SHOW nothing",
                "SHOW POOLS STATS",
                "SHOW POOLS; SHOW STATS",
                "xyz",
                "= RELOAD",
                "RELOAD x",
                "PAUSE a b",
                "PAUSE = a",
                "SHUTDOWN WAIT",
                "SHUTDOWN WAIT_FOR_CLIENTS now",
                "SET",
                "SET a",
                "SET a = b c",
                "SET = 1",
                "SET a = 1; RELOAD",
                "HELP",
                "SESSION_SET a = 1",
                "SHUTDOWN_WAIT_FOR_CLIENTS",
                "RELOAD 'open",
                "RELOAD \"open",
                "RELOAD /* open",
                "SELECT 2",
                "SELECT",
                "SELECT 1 FROM x",
                "BEGIN; RELOAD"
            })
    void anythingElseIsRefusedInPgbouncersWords(String text) {
        var refused = catchThrowableOfType(Command.Misunderstood.class, () -> Command.parse(text));

        assertThat(refused.error().code()).isEqualTo("08P01");
        assertThat(refused.error().message()).isEqualTo("invalid command '" + text + "', use SHOW HELP;");
    }

    @Test
    void longTextIsQuotedInPart() {
        var refused = catchThrowableOfType(Command.Misunderstood.class, () -> Command.parse("x".repeat(5000)));

        assertThat(refused.error().message()).hasSizeLessThan(300);
    }

    @Test
    void parameterIsRefused() {
        var refused = catchThrowableOfType(Command.Misunderstood.class, () -> Command.parse("KILL_CLIENT $1"));

        assertThat(refused.error().code()).isEqualTo("0A000");
    }

    @ParameterizedTest
    @CsvSource({
        "DISABLE, a database is required",
        "ENABLE;, a database is required",
        "KILL_CLIENT, invalid client pointer supplied",
        "KILL_CLIENT abc, invalid client pointer supplied",
        "KILL_CLIENT 99999999999999999999, invalid client pointer supplied",
        "KILL_CLIENT -1, invalid client pointer supplied"
    })
    void missingArgumentIsNamed(String text, String message) {
        var refused = catchThrowableOfType(Command.Misunderstood.class, () -> Command.parse(text));

        assertThat(refused.error().message()).isEqualTo(message);
    }

    @Test
    void pauseMayBeTimed() throws Command.Misunderstood {
        assertThat(Command.parse("PAUSE app FOR 5")).isEqualTo(new Command(Verb.PAUSE, null, "app", "5"));
        assertThat(Command.parse("pause for 5;")).isEqualTo(new Command(Verb.PAUSE, null, "", "5"));
        assertThat(Command.parse("PAUSE for")).isEqualTo(new Command(Verb.PAUSE, null, "for", ""));
        assertThatExceptionOfType(Command.Misunderstood.class).isThrownBy(() -> Command.parse("PAUSE app FOR ever"));
        assertThatExceptionOfType(Command.Misunderstood.class).isThrownBy(() -> Command.parse("PAUSE app other FOR 5"));
    }
}
