package io.plenum.pooler.config;

import static io.plenum.pooler.fuzz.Execution.demand;
import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.plenum.pooler.fuzz.Execution;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A pgbouncer.ini, the strings in it, and a user list. */
public final class IniFuzz {
    /** There is nothing in this place, so no file is read. */
    private static final Path FILE = Path.of("nowhere/plenum.ini");

    private static final String PASSWORD = "Canary7Pw";

    private IniFuzz() {}

    /** Called by the fuzzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        // No file of this machine: some of them never end.
        String text =
                new String(input, StandardCharsets.UTF_8).replace('/', '_').replace("..", "__");
        Execution.of(input, () -> {
            entries(text);
            pairs(text);
            users(text);
            whole(text);
        });
    }

    private static void entries(String text) {
        List<String> read = new ArrayList<>();
        StringBuilder printed = new StringBuilder();
        for (IniFile.Entry entry : IniFile.read(text, FILE, new Findings()).entries()) {
            read.add(entry.section() + "\n" + entry.name() + "\n" + entry.value());
            printed.append('[')
                    .append(entry.section())
                    .append("]\n\"")
                    .append(entry.name().replace("\"", "\"\""));
            printed.append("\" = ").append(entry.value()).append('\n');
        }
        List<String> reread = new ArrayList<>();
        var findings = new Findings();
        for (IniFile.Entry entry :
                IniFile.read(printed.toString(), FILE, findings).entries()) {
            reread.add(entry.section() + "\n" + entry.name() + "\n" + entry.value());
        }
        demandSame(findings.faults(), List.of(), "what was written is refused");
        demandSame(read, reread, "not what was written");
    }

    private static void pairs(String text) {
        try {
            List<ConnectionString.Pair> pairs = ConnectionString.read(text);
            StringBuilder printed = new StringBuilder();
            pairs.forEach(pair -> printed.append(pair.key())
                    .append("='")
                    .append(pair.value().replace("'", "''"))
                    .append("' "));
            List<String> reread = ConnectionString.read(printed.toString()).stream()
                    .map(pair -> pair.key() + "\n" + pair.value())
                    .toList();
            demandSame(
                    pairs.stream().map(pair -> pair.key() + "\n" + pair.value()).toList(),
                    reread,
                    "not what was written");
        } catch (InvalidValueException refused) {
            demand(!String.valueOf(refused.getMessage()).isEmpty(), "refused without a reason");
        }
        try {
            ConnectionString.read("host=h password=" + PASSWORD + text);
        } catch (InvalidValueException refused) {
            demandUntold(String.valueOf(refused.getMessage()), text, "the fault tells a password");
        }
    }

    private static void users(String text) {
        UserList users = UserList.parse(FILE, text, new Findings());
        StringBuilder printed = new StringBuilder();
        for (String user : users.names()) {
            printed.append(quoted(user))
                    .append(' ')
                    .append(quoted(text(users.secret(user))))
                    .append('\n');
        }
        var findings = new Findings();
        UserList again = UserList.parse(FILE, printed.toString(), findings);
        demandSame(findings.faults(), List.of(), "a written user list is refused");
        demandSame(users.names(), again.names(), "not the users that were written");
        for (String user : users.names()) {
            demandSame(text(users.secret(user)), text(again.secret(user)), "not the secret that was written");
        }
        String wrong = "\"ada\" \"" + PASSWORD + "\"\n" + text;
        findings = new Findings();
        UserList.parse(FILE, wrong, findings);
        demandUntold(findings.faults().toString(), text, "the fault tells a secret");
        demandUntold(findings.warnings().toString(), text, "the warning tells a secret");
    }

    /** In the text too the password may be the name of a key or of a user, which is told. */
    private static void demandUntold(String told, String text, String otherwise) {
        demand(!told.contains(PASSWORD) || text.contains(PASSWORD), otherwise);
    }

    private static String text(@Nullable Secret secret) {
        return switch (secret) {
            case null -> "";
            case Secret.Plain plain -> plain.password();
            case Secret.Md5 md5 -> "md5" + md5.hex();
            case Secret.Scram scram -> scram.text();
        };
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\"", "\"\"") + "\"";
    }

    /** All faults at once, each with its line; or a configuration that can be shown and read again. */
    private static void whole(String text) {
        switch (ConfigLoader.parse(text, FILE, Map.of())) {
            case LoadResult.Loaded(PoolerConfig config) ->
                config.databases()
                        .forEach(database -> demandSame(
                                Objects.requireNonNull(config.database(database.name())),
                                database,
                                "a database that is not found by its name"));
            case LoadResult.Refused refused ->
                demand(
                        !refused.faults().isEmpty() && refused.faults().size() <= ConfigLoader.MOST_FAULTS,
                        "%d faults",
                        refused.faults().size());
        }
    }
}
