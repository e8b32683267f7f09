package io.plenum.bench.switchover;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.bench.switchover.Ledger.Outcome;
import io.plenum.bench.switchover.Ledger.Write;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LedgerTest {
    private final Ledger ledger = new Ledger();

    @Test
    void whatIsInOrderIsNotFound() {
        add(1, Outcome.ACKNOWLEDGED);
        add(2, Outcome.UNKNOWN);
        add(3, Outcome.UNKNOWN);
        add(4, Outcome.REFUSED);

        Ledger.Balance balance = ledger.balance(Map.of(1L, 1, 2L, 1));

        assertThat(balance.lost() + balance.doubled() + balance.dishonest()).isZero();
        assertThat(balance.findings()).isEmpty();
    }

    @Test
    void everyKindOfWrongIsFound() {
        add(1, Outcome.ACKNOWLEDGED);
        add(2, Outcome.ACKNOWLEDGED);
        add(3, Outcome.UNKNOWN);
        add(4, Outcome.REFUSED);

        Ledger.Balance balance = ledger.balance(Map.of(2L, 2, 3L, 3, 4L, 1));

        assertThat(balance.lost()).isEqualTo(1);
        assertThat(balance.doubled()).isEqualTo(2);
        assertThat(balance.dishonest()).isEqualTo(1);
        assertThat(balance.findings()).hasSize(4);
    }

    private void add(long number, Outcome outcome) {
        ledger.add(new Write(number, outcome, 0, 1, ""));
    }
}
