package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LookUpsTest {
    @Test
    void zoneIsWhatStandsBehindTheFirstDot() {
        List<LookUps.Name> names = Stream.of("localhost", "db.example.org", "pg.example.org", "a.b.c", "dotted.")
                .map(name -> new LookUps.Name(name, 0, List.of()))
                .toList();

        assertThat(new LookUps(names, 0).zones()).isEqualTo(Map.of("example.org", 2, "b.c", 1));
    }
}
