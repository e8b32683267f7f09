package io.plenum.pooler.admin;

import io.plenum.wire.AsciiCase;

/** The manual page {@code docs/console.md}, made from the tables that the console itself runs on. */
final class ConsoleManual {
    private ConsoleManual() {}

    static String page() {
        StringBuilder page = new StringBuilder("""
            # The console

            <!-- Made from the tables in pooler; the test that checks this page says how to rewrite it. -->

            Connect to the database `pgbouncer`, alias `plenum`, on the ordinary port: `psql -p 6432 -U admin pgbouncer`. \
            Users of `admin_users` may do everything, users of `stats_users` may read; with `auth_type = any` everybody \
            may do everything. Nobody else gets in. The console speaks the simple and the extended protocol, so drivers \
            work with their default settings; commands take no parameters, and one Query holds one command.

            Tables of PgBouncer have the names, order and types of columns of PgBouncer %s. All numbers are over all \
            event loops: there is one pool for each database and user.

            ## Commands

            | Command | Right | Does |
            | --- | --- | --- |
            """.formatted(ShowTables.PGBOUNCER_VERSION));
        for (Verb verb : Verb.values()) {
            page.append("| `%s` | %s | %s |\n"
                    .formatted(verb.usage(), AsciiCase.lower(verb.right().name()), verb.about()));
        }
        page.append("\n`read`: `stats_users` and `admin_users`; `admin`: `admin_users` alone.\n");
        page.append("\n## Tables of PgBouncer\n");
        ShowTables.all().stream()
                .filter(table -> !table.own() && !isParameter(table))
                .forEach(table -> append(page, table));
        page.append("\n## Tables of Plenum\n");
        ShowTables.all().stream().filter(ShowTable::own).forEach(table -> append(page, table));
        page.append("\n## Parameters\n\nDrivers ask for these with SHOW; the answer is the same for everybody:");
        ShowTables.all().stream()
                .filter(ConsoleManual::isParameter)
                .forEach(table -> page.append(" `").append(table.word()).append('`'));
        page.append(".\n");
        return page.toString();
    }

    /** What a driver asks every server is written in small letters, as PostgreSQL does. */
    private static boolean isParameter(ShowTable table) {
        return !table.word().equals(AsciiCase.upper(table.word()));
    }

    private static void append(StringBuilder page, ShowTable table) {
        page.append("\n### SHOW ")
                .append(table.word())
                .append("\n\n")
                .append(table.about())
                .append("\n\n");
        page.append("| Column | Type | Meaning |\n| --- | --- | --- |\n");
        for (ShowTable.Column column : table.columns()) {
            page.append("| %s | %s | %s |\n"
                    .formatted(column.name(), column.type().sqlName(), column.about())
                    .replace("|  |", "| |"));
        }
    }
}
