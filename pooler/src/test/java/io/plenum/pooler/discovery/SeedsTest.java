package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SeedsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // entry                                | every address | alone
                "host=10.0.0.1                          | false         | true",
                "host=localhost                         | false         | true",
                "port=5432                              | false         | true",
                "host=::1                               | false         | true",
                "host=pg-headless                       | true          | false",
                "host=pg-headless discovery=dns         | true          | false",
                "host=pg-headless discovery=static      | false         | true",
                "host=10.0.0.1 discovery=dns            | false         | true",
                "host=10.0.0.1,10.0.0.2                 | false         | false",
                "host=pg-0,pg-1                         | false         | false",
                "host=pg-0,pg-1 discovery=dns           | true          | false",
                "host=10.0.0.1,10.0.0.2 discovery=dns   | false         | false",
            })
    void modeAndHostsSayWhatIsANode(String entry, boolean everyAddress, boolean alone) {
        Seeds seeds = seeds(entry);

        assertThat(seeds.everyAddress()).isEqualTo(everyAddress);
        assertThat(seeds.isSolo()).isEqualTo(alone);
    }

    @ParameterizedTest
    @CsvSource({
        "host=pg, host=pg dbname=other, true",
        "host=pg, host=pg port=5433, false",
        "host=pg, host=pg discovery=static, false",
    })
    void entriesWithTheSameHostsShareSeeds(String one, String other, boolean same) {
        assertThat(seeds(one).equals(seeds(other))).isEqualTo(same);
    }

    private static Seeds seeds(String entry) {
        PoolerConfig config = PoolerConfig.parse("[databases]\napp = " + entry, Path.of(""));
        DatabaseConfig database = Objects.requireNonNull(config.database("app"));
        return Seeds.of(config, database);
    }
}
