package io.plenum.pooler.config;

import java.util.List;
import java.util.stream.Collectors;

/** What came of reading a configuration: all of it, or all that is wrong with it. */
public sealed interface LoadResult {
    /** It can be used; {@link PoolerConfig#warnings()} says what the operator should know. */
    record Loaded(PoolerConfig config) implements LoadResult {}

    /** It cannot be used. At most {@link ConfigLoader#MOST_FAULTS} faults, in the order of the files. */
    record Refused(List<Fault> faults) implements LoadResult {
        public Refused {
            faults = List.copyOf(faults);
        }

        /** One fault a line. */
        public String text() {
            return faults.stream().map(Fault::toString).collect(Collectors.joining("\n"));
        }
    }
}
