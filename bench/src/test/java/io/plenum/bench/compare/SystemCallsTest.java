package io.plenum.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class SystemCallsTest {
    @Test
    void callsWithAndWithoutErrorsAreReadAndTheTotalIsNot() {
        var table = """
            % time     seconds  usecs/call     calls    errors syscall
            ------ ----------- ----------- --------- --------- ----------------
             60.00    0.000600           0      3000       998 recvfrom
             40.00    0.000400           0      2000           sendto
            ------ ----------- ----------- --------- --------- ----------------
            100.00    0.001000           0      5000       998 total
            """;

        var calls = new SystemCalls(SystemCalls.parse(table.lines().toList(), 1000));

        assertThat(calls.perTransaction()).isEqualTo(Map.of("recvfrom", 3.0, "sendto", 2.0));
        assertThat(calls.total()).isEqualTo(5.0);
        assertThat(calls.mostFrequent()).isEqualTo("recvfrom 3.00, sendto 2.00");
    }
}
