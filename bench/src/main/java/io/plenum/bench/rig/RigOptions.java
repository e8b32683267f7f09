package io.plenum.bench.rig;

import io.plenum.bench.process.PoolerProcess;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that say which pooler a judging program runs against. */
public final class RigOptions {
    /** Host and port as one word. */
    record Address(String host, int port) {}

    static final class AddressReader implements ITypeConverter<Address> {
        @Override
        public Address convert(String word) {
            int colon = word.lastIndexOf(':');
            try {
                return new Address(word.substring(0, colon), Integer.parseInt(word.substring(colon + 1)));
            } catch (RuntimeException _) {
                throw new TypeConversionException("'" + word + "' is not host:port");
            }
        }
    }

    @Option(
            names = "--target",
            paramLabel = "HOST:PORT",
            converter = AddressReader.class,
            description = "A pooler that runs already, instead of a Plenum and a PostgreSQL of our own.")
    private @Nullable Address target;

    @Option(
            names = "--postgres",
            paramLabel = "HOST:PORT",
            converter = AddressReader.class,
            description = "The PostgreSQL behind --target (default: reached through the pooler).")
    private @Nullable Address postgres;

    @Option(names = "--database", defaultValue = "app", description = "With --target (default: ${DEFAULT-VALUE}).")
    private String database = "app";

    @Option(
            names = "--user",
            defaultValue = "postgres",
            description = "With --target; a superuser (default: ${DEFAULT-VALUE}).")
    private String user = "postgres";

    @Option(names = "--password", description = "With --target.")
    private @Nullable String password;

    @Option(
            names = "--pooler",
            paramLabel = "COMMAND",
            description = "Start this pooler instead of Plenum; an ini file is added to the command.")
    private @Nullable String command;

    @Option(names = "--direct", description = "Start PostgreSQL alone and run against it: tries the program itself.")
    private boolean direct;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description = "A setting of the pooler that is started, once for each.")
    private List<String> settings = List.of();

    /** A program that runs against a target. */
    public interface Program<R> {
        R run(Target target);
    }

    /** Runs it against what the options say; what had to be started is ended. */
    public <R> R with(int poolSize, List<String> ownSettings, Program<R> program) {
        var given = target;
        if (given != null) {
            var direct = postgres == null ? given : postgres;
            return program.run(
                    new Target(given.host(), given.port(), direct.host(), direct.port(), database, user, password));
        }
        var all = new ArrayList<>(ownSettings);
        all.addAll(settings);
        try (var rig = start(poolSize, all)) {
            return program.run(rig.target());
        }
    }

    private Rig start(int poolSize, List<String> all) {
        if (direct) {
            return Rig.postgres();
        }
        if (command == null) {
            return Rig.plenum(poolSize, all);
        }
        var words = List.of(command.split(" "));
        return Rig.process(words.size() == 1 ? PoolerProcess.pgbouncer(command) : words, poolSize, all);
    }
}
