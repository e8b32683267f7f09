package io.plenum.pooler.admin;

import io.plenum.pooler.config.Setting;
import io.plenum.pooler.config.Setting.Effect;
import io.plenum.pooler.config.Setting.Scope;
import io.plenum.pooler.config.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The manual page {@code docs/pgbouncer.md}: how each thing of PgBouncer stands here, from the tables of the code. */
public final class PgbouncerManual {
    /** Where the same setting does more than with PgBouncer: its name, and why that is better. */
    static final Map<String, String> BETTER = Map.ofEntries(
            Map.entry(
                    "ignore_startup_parameters",
                    "every startup parameter is accepted and kept for its client; what is" + " named here is dropped"),
            Map.entry(
                    "pool_mode",
                    "in transaction mode what a client has set follows it over all servers, so most"
                            + " applications need no other mode"),
            Map.entry(
                    "max_prepared_statements",
                    "a statement is shared by all clients, and prepared anew behind a change" + " of the schema"),
            Map.entry(
                    "server_reset_query",
                    "it is needed for less: a server that ran unknown code is scrubbed before"
                            + " anybody else gets it"),
            Map.entry("dns_max_ttl", "the TTL of the record counts too, and all addresses of a name are used"),
            Map.entry("cancel_wait_timeout", "a request that waits is dropped when its statement has ended"),
            Map.entry(
                    "peer_id", "with `peer_service` peers find each other, and keys of protocol 3.2 are passed on too"),
            Map.entry("default_pool_size", "the pool is one over all event loops, on each node of the database"),
            Map.entry("server_login_retry", "at most a second, for a server that is back should be found then"),
            Map.entry("track_extra_parameters", "every setting follows its client, so nothing need be named"),
            Map.entry("query_wait_timeout", "the error says how long was waited for what"),
            Map.entry("conffile", "a file that is wrong changes nothing, and every fault of it is told at once"));

    /** What is the same but for one thing. */
    private static final Map<String, String> BUT = Map.of(
            "max_db_connections", "shared LISTEN, `auth_query` and the probes of several nodes do not count",
            "max_user_connections", "as with `max_db_connections`",
            "user", "by the launcher alone, for a JVM cannot change its user",
            "syslog", "on Linux alone, for it is written to by /dev/log",
            "auth_hba_file", "a line that is not understood is a fault: PgBouncer warns of it and goes by the next",
            "max_packet_size", "for messages of clients alone, for those of servers are never held as a whole",
            "verbose", "each step shows more of Plenum, not what PgBouncer's would");

    private PgbouncerManual() {}

    /** The whole page. */
    public static String page() {
        StringBuilder page = new StringBuilder("""
            # Coming from PgBouncer

            <!-- Made from the tables in pooler; SettingsManualTest and ConsoleManualTest say how to rewrite it. -->

            What becomes of each setting, command and column of PgBouncer %s. A pgbouncer.ini is read as it is; `plenum
            check pgbouncer.ini` says the same of one file.

            - **same**: as in PgBouncer.
            - **better**: the same, and more; the sentence says what.
            - **without effect**: accepted so that nothing need be edited; the sentence says why.
            - **not yet**: accepted with a warning; the sentence says what happens meanwhile.
            - **differs**: not the same; the sentence says how.

            ## The command

            | Option | Stands |
            | --- | --- |
            | `-d`, `--daemon` | same, by the launcher `plenum`: it returns when clients can connect, and with the status of what failed. Needs a pidfile. A script that finds the process by its executable (`start-stop-daemon --exec`) must go by the pidfile alone, for the executable is java |
            | `-q`, `-v`, `-V`, `-h` | same; the first line of `-V` is that of SHOW VERSION. A wrong command line ends with status 2, not 1 |
            | `-u`, `--user` | same, by the launcher, with setpriv, when root starts it; a wrong user is refused else |
            | `-R`, `--reboot` | differs: the new process has the old one listen no more, by its console at the Unix socket, and listens in its place; the old one ends when its clients have left. PgBouncer's takes the clients' sockets over. `so_reuseport` goes without the moment in which nobody listens |
            | `NOTIFY_SOCKET` | same: Type=notify and Type=notify-reload of systemd |
            | `LISTEN_FDS` | same: systemd's sockets, of TCP and Unix, are used in the place of `listen_addr` and `unix_socket_dir`. `transport` is epoll then, for io_uring cannot take them |

            ## Signals

            | Signal | Stands |
            | --- | --- |
            | SIGHUP | better: wholly or not at all; one fault, and everything stays as it was |
            | SIGTERM | better: `/readyz` says no and clients are still accepted for `drain_delay`, until balancers have noticed, but with `so_reuseport`, where nobody listens from then on; then idle ones are sent away with 57P01. SHUTDOWN WAIT_FOR_CLIENTS waits for ever, as in PgBouncer |
            | SIGINT | same, but clients that idle are told after a second |
            | SIGTERM or SIGINT again, SIGQUIT | same: the end, at once, with status 0. SIGQUIT needs the launcher or the image's, else the JVM prints its threads |
            | SIGUSR1, SIGUSR2 | same |

            ## The log

            Same lines for the same events: `2026-01-31 12:00:00.000 UTC [PID] LEVEL C-0x1f: database/user@address:port text`, with
            the levels ERROR, WARNING, LOG, DEBUG and NOISE. Events that PgBouncer does not know are `event=name key=value`. A line
            break in what somebody sent becomes a bar, so that nobody forges a line. Of more than 1,000 logins in one second only those are
            told that get in, and how many the others were: `event=logins_not_logged`.

            ## The login

            As PostgreSQL's. PgBouncer tells each client `pgbouncer.version`, `pgbouncer.pool_mode` and
            `pgbouncer.max_prepared_statements` by ParameterStatus; here the console alone does, for to an application there is no pooler.

            ## Settings

            | Setting | Where | Stands |
            | --- | --- | --- |
            """.formatted(ShowTables.PGBOUNCER_VERSION));
        for (Setting<?> setting : Settings.all()) {
            if (!setting.own()) {
                page.append("| `%s` | %s | %s |\n".formatted(setting.name(), places(setting), stands(setting)));
            }
        }
        page.append("""

            ## Values

            | Written | PgBouncer | Here | Because |
            | --- | --- | --- | --- |
            | a number for yes or no, as `log_connections = 2` | any but 0 is yes | same, shown as 1 | |
            | a number or time above what this manual allows | as it is | same: the largest that is allowed | nothing has so many |
            | a negative number where 0 is none, or off | as 0 | same, shown as 0 | |
            | a number that 32 bits do not hold; a time that is `inf`, `nan` or above 9e12 | becomes another one, often 0 or -1 | refused | nobody means that |
            | `default_pool_size`, `listen_backlog`, `scram_iterations` or `stats_period` of 0 or less, `max_packet_size` below 1024 | taken | refused | nobody could be served |
            | a negative `max_prepared_statements` | taken by 1.26.1, refused as PgBouncer's own tests have it | refused | 0 is off |
            | in [databases], [users] and [peers] a number with something behind it, as `pool_size=5s`, or none at all | the digits it begins with, or 0 | refused | nobody means that |
            | there, a negative number | the value of [pgbouncer] | same | |
            | `scram_iterations` above 10,000,000 | taken | refused | each login would hash for seconds |
            | `unix_socket_mode` beyond 0777, a `syslog_facility` that there is not, `auth_ldap_options` that are none, files and words of TLS that are none | taken, and what they are for fails or is something else | refused | better known at the start |
            """);
        page.append("""
            | on the console, SET of a setting that only a restart takes over, or of `auth_file`, `auth_hba_file` and `auth_ident_file` | says yes, and of the former nothing changes | refused; the detail says what to do instead | nobody should believe that it is in force |
            | there, names in capitals, a value without quotes that has more than letters, digits and `_`, comments, nothing behind `=`, two semicolons | refused | taken | |
            """);
        page.append("\n## Commands of the console\n\n| Command | Stands |\n| --- | --- |\n");
        for (Verb verb : Verb.values()) {
            if (verb.origin() != Verb.Origin.OWN && verb != Verb.SHOW) {
                page.append("| `%s` | %s |\n"
                        .formatted(
                                verb.usage(), verb.origin() == Verb.Origin.SAME ? "same" : "better: " + verb.about()));
            }
        }
        page.append("""

            Texts and SQLSTATE (08P01) of what is refused are PgBouncer's; the detail says more. The extended protocol, which
            PgBouncer's console refuses, is spoken too.

            ## Columns of the console

            Names, order and types are PgBouncer's. A table that is not here has all of its columns the same.

            | Table | Column | Stands |
            | --- | --- | --- |
            """);
        for (ShowTable table : ShowTables.all()) {
            if (!table.own()) {
                append(page, table);
            }
        }
        return page.toString();
    }

    private static String places(Setting<?> setting) {
        List<String> places = new ArrayList<>();
        for (Scope scope : Scope.values()) {
            List<String> keys = setting.keys().get(scope);
            if (keys != null) {
                String section = switch (scope) {
                    case GLOBAL -> "pgbouncer";
                    case DATABASE -> "databases";
                    case USER -> "users";
                    case PEER -> "peers";
                };
                places.add(keys.equals(List.of(setting.name())) ? section : section + ": " + String.join(", ", keys));
            }
        }
        return String.join("; ", places);
    }

    private static String stands(Setting<?> setting) {
        String otherDefault = setting.pgbouncerDefault() == null
                ? ""
                : "; the default is %s, PgBouncer's `%s`".formatted(shownDefault(setting), setting.pgbouncerDefault());
        return switch (setting.effect()) {
            case Effect.InForce<?> _
            when BETTER.containsKey(setting.name()) -> "better: " + BETTER.get(setting.name()) + otherDefault;
            case Effect.InForce<?> _
            when BUT.containsKey(setting.name()) && setting.keys().containsKey(Scope.GLOBAL) ->
                "same, but " + BUT.get(setting.name());
            case Effect.InForce<?> _ -> "same" + otherDefault;
            case Effect.NoMeaning<?>(String why) -> "without effect: " + why;
        };
    }

    private static <T> String shownDefault(Setting<T> setting) {
        String shown = setting.show(setting.defaultValue());
        return shown == null || shown.isEmpty() ? "empty" : "`" + shown + "`";
    }

    private static void append(StringBuilder page, ShowTable table) {
        for (ShowTable.Column column : table.columns()) {
            if (column.about().startsWith("always")) {
                page.append(
                        "| %s | %s | without effect: %s |\n".formatted(table.word(), column.name(), column.about()));
            }
        }
    }
}
