package io.plenum.pooler.config;

import io.plenum.pooler.config.Setting.Effect;
import io.plenum.pooler.config.Setting.Group;
import io.plenum.pooler.config.Setting.Reload;
import io.plenum.pooler.config.Setting.Scope;
import java.util.ArrayList;
import java.util.List;

/** Writes the manual page and the sample file from the table of settings. */
final class SettingsManual {
    private static final int WIDTH = 100;

    private SettingsManual() {}

    /** {@code docs/settings.md}. */
    static String page() {
        StringBuilder page = new StringBuilder("""
            # Settings

            <!-- Made from the table in Settings.java; SettingsManualTest says how to rewrite it. -->

            The file has the syntax of pgbouncer.ini, and a pgbouncer.ini is a good file. Its sections are `[pgbouncer]`
            and `[plenum]`, which take the same settings, `[databases]`, `[users]` and `[peers]`.

            - A line that begins with `;` or `#` is a comment; later in a line neither is special.
            - `%include FILE` reads another file in its place.
            - The relative name of a file that is read counts from the working directory, as with PgBouncer, or, where
              there is no such file, from the directory of the file that it stands in: a service seldom starts where its
              files are. A `logfile` or `pidfile` counts from the working directory alone.
            - A setting that is written twice has its last value.
            - A name with other characters than letters, digits and `_.-*` stands in single or double quotes.
            - An entry of `[databases]`, `[users]` or `[peers]` is a list of `key=value`; a value with blanks stands in
              single quotes, a single quote inside is written twice. `-1` inherits, as if the key were not there.
            - The entry `*` of `[databases]` is for every name that has no entry of its own.
            - Physical standbys, pg_basebackup and pg_receivewal name the database `replication`, so that needs an entry
              unless there is `*`. Where it has several hosts, its `dbname` is to be a database that exists, for there the
              nodes are asked which of them is the primary.
            - The narrowest place wins: user, then database, then the global section.
            - `PLENUM_POOL_MODE` in the environment overrides `pool_mode`, and so on for each global setting.
            - Numbers may be octal (`0777`) or hexadecimal (`0x10`). Times are seconds and may have a fraction, unless
              it says otherwise. Words may be in capitals.

            `plenum check FILE.ini` shows all that is wrong with a file. Nothing wrong is repaired: Plenum does not start
            with it, and RELOAD or SIGHUP leaves all as it was. In the column *Change*, *live* is taken over by RELOAD,
            *restart* is not. A setting *not yet in force* is accepted, with a warning, so that a pgbouncer.ini need
            not be edited; the sentence says what happens meanwhile.

            """);
        for (Group group : Group.values()) {
            List<Setting<?>> rows =
                    Settings.all().stream().filter(row -> row.group() == group).toList();
            page.append("## ").append(group.title()).append("\n\n");
            if (group == Group.DATABASE) {
                page.append("In `[databases]` alone, beside those marked *database* in the other tables.\n\n");
            }
            page.append("| Setting | Default | Also in | Change | Meaning |\n| --- | --- | --- | --- | --- |\n");
            rows.forEach(row -> page.append(line(row)));
            page.append('\n');
        }
        return page.toString().stripTrailing() + "\n";
    }

    private static <T> String line(Setting<T> row) {
        List<String> places = new ArrayList<>();
        for (Scope scope : List.of(Scope.DATABASE, Scope.USER, Scope.PEER)) {
            List<String> keys = row.keys().get(scope);
            if (keys != null && row.isGlobal()) {
                String name = scope == Scope.DATABASE ? "database" : scope == Scope.USER ? "user" : "peer";
                places.add(keys.equals(List.of(row.name())) ? name : name + ": `" + String.join("`, `", keys) + "`");
            }
        }
        if (row.keys().containsKey(Scope.PEER) && !row.isGlobal()) {
            places.add("peer only");
        }
        String shown = row.show(row.defaultValue());
        String value = shown == null ? "not set" : shown.isEmpty() ? "empty" : "`" + shown.replace("|", "\\|") + "`";
        if (row.pgbouncerDefault() != null) {
            value += " (PgBouncer: `" + row.pgbouncerDefault() + "`)";
        }
        return "| `%s`%s | %s | %s | %s | %s%s%s |\n"
                .formatted(
                        row.name(),
                        row.own() ? " (own)" : "",
                        value,
                        String.join("; ", places),
                        row.reload() == Reload.LIVE ? "live" : "restart",
                        row.doc(),
                        note(row),
                        row.values().allowed().equals("any text")
                                ? ""
                                : " Allowed: " + row.values().allowed() + ".");
    }

    private static String note(Setting<?> row) {
        return switch (row.effect()) {
            case Effect.InForce<?> _ -> "";
            case Effect.NoMeaning<?>(String why) -> " **Without meaning in Plenum**: " + why + ".";
        };
    }

    /** {@code docs/plenum.ini}: what is in force, each setting at its default and commented out. */
    static String sample() {
        StringBuilder sample = new StringBuilder("""
            ;; Sample configuration of Plenum: every setting that is in force, at its default.
            ;; Made from the table in Settings.java; docs/settings.md explains the syntax and has the other settings.

            [databases]

            ;; One name that stands for all the PostgreSQL Pods is enough, such as a headless Service: Plenum finds
            ;; out which of them is the primary.
            ;app = host=postgres-headless port=5432

            ;; A list of nodes; all clients share the connections of one user.
            ;report = host=10.0.0.1,10.0.0.2 dbname=app user=reporter password='it''s secret' pool_size=5

            ;; Every other name.
            ;* = host=localhost

            """);
        for (Setting<?> row : Settings.all()) {
            if (row.group() == Group.DATABASE && row.inForce()) {
                comment(sample, row.name() + ": " + row.doc());
            }
        }
        comment(sample, "and, in the place of the global setting: " + String.join(", ", alsoIn(Scope.DATABASE)));
        sample.append("\n[users]\n\n");
        comment(sample, "In the place of the setting of the database: " + String.join(", ", alsoIn(Scope.USER)));
        sample.append(";ada = pool_size=2 query_timeout=30\n\n[plenum]\n");
        for (Group group : Group.values()) {
            List<Setting<?>> rows = Settings.all().stream()
                    .filter(row -> row.group() == group && row.inForce() && row.isGlobal())
                    .toList();
            if (!rows.isEmpty()) {
                sample.append("\n;;;\n;;; ").append(group.title()).append("\n;;;\n");
                rows.forEach(row -> entry(sample, row));
            }
        }
        return sample.toString();
    }

    private static List<String> alsoIn(Scope scope) {
        return Settings.all().stream()
                .filter(row -> row.isGlobal() && row.inForce())
                .map(row -> row.keys().get(scope))
                .filter(keys -> keys != null)
                .map(List::getFirst)
                .toList();
    }

    private static <T> void entry(StringBuilder sample, Setting<T> row) {
        sample.append('\n');
        comment(sample, row.doc().replace("`", ""));
        String value = row.show(row.defaultValue());
        sample.append((";" + row.name() + " = " + (value == null ? "" : value)).stripTrailing())
                .append('\n');
    }

    private static void comment(StringBuilder sample, String text) {
        StringBuilder line = new StringBuilder(";;");
        for (String word : text.replace("`", "").split(" ", -1)) {
            if (line.length() + 1 + word.length() > WIDTH) {
                sample.append(line).append('\n');
                line = new StringBuilder(";;");
            }
            line.append(' ').append(word);
        }
        sample.append(line).append('\n');
    }
}
