package io.plenum.pooler.fuzz;

import io.plenum.pooler.admin.ConsoleFuzz;
import io.plenum.pooler.client.FrontendFuzz;
import io.plenum.pooler.config.HbaFuzz;
import io.plenum.pooler.config.IniFuzz;
import io.plenum.pooler.server.BackendFuzz;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** All that is fuzzed: where it is, what it begins with, how often it runs in the suite, how long an input may be. */
@SuppressWarnings("ImmutableEnumChecker") // references to static methods
enum FuzzTarget {
    STARTUP(StartupFuzz.class, StartupFuzz::fuzzerTestOneInput, Seeds::startup, 50_000, 10_100),
    FRONTEND(FrontendFuzz.class, FrontendFuzz::fuzzerTestOneInput, Seeds::frontend, 6_000, 2048),
    BACKEND(BackendFuzz.class, BackendFuzz::fuzzerTestOneInput, Seeds::backend, 20_000, 2048),
    SCRAM_SERVER(ScramServerFuzz.class, ScramServerFuzz::fuzzerTestOneInput, Seeds::scramServer, 50_000, 4200),
    SCRAM_CLIENT(ScramClientFuzz.class, ScramClientFuzz::fuzzerTestOneInput, Seeds::scramClient, 50_000, 4200),
    INI(IniFuzz.class, IniFuzz::fuzzerTestOneInput, Seeds::ini, 3_000, 4096),
    HBA(HbaFuzz.class, HbaFuzz::fuzzerTestOneInput, Seeds::hba, 10_000, 4096),
    SQL(SqlFuzz.class, SqlFuzz::fuzzerTestOneInput, Seeds::sql, 8_000, 4096),
    CONSOLE(ConsoleFuzz.class, ConsoleFuzz::fuzzerTestOneInput, Seeds::console, 5_000, 1024);

    private final Class<?> type;
    private final Consumer<byte[]> run;
    private final Supplier<List<byte[]>> seeds;
    private final int usualRuns;
    private final int longest;

    FuzzTarget(Class<?> type, Consumer<byte[]> run, Supplier<List<byte[]>> seeds, int usualRuns, int longest) {
        this.type = type;
        this.run = run;
        this.seeds = seeds;
        this.usualRuns = usualRuns;
        this.longest = longest;
    }

    /** What Jazzer calls. */
    String className() {
        return type.getName();
    }

    /** Its name in files and properties. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    void run(byte[] input) {
        run.accept(input);
    }

    List<byte[]> seeds() {
        return seeds.get();
    }

    /** Executions in the suite. */
    int usualRuns() {
        return usualRuns;
    }

    /** Bytes of the longest input that is tried. */
    int longest() {
        return longest;
    }
}
