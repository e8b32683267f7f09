package io.plenum.bench.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.plenum.routing.balance.BalancePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BalancePageTest {
    @Test
    void pageAndPictureHaveWhatTheModelSays() throws IOException {
        BalancePage page = BalancePage.find();
        if (Boolean.getBoolean("write-docs")) {
            page.write();
        }

        assertThat(Files.readString(page.text()))
                .as("-Dwrite-docs=true rewrites it")
                .isEqualTo(page.expectedText());
        assertThat(Files.readString(page.picture()))
                .as("-Dwrite-docs=true rewrites it")
                .isEqualTo(BalancePlot.svg());
    }

    /** What each policy promises, whoever comes and goes: who does not look at the load gives all the same. */
    @ParameterizedTest
    @CsvSource({"ROUND_ROBIN, 0.002", "RANDOM, 0.015", "MAGLEV, 0.03", "RING_HASH, 0.08"})
    void whoDoesNotLookAtTheLoadGivesAllTheSame(BalancePolicy policy, double tolerance) {
        Model model = BalanceTables.comingAndGoing(policy);

        assertThat(model.run(3, 10).shares())
                .containsExactly(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0, 0}, within(tolerance));
        assertThat(model.run(13, 20).shares())
                .containsExactly(new double[] {0.25, 0.25, 0.25, 0.25}, within(tolerance));
        assertThat(model.run(23, 30).shares())
                .containsExactly(new double[] {0, 1 / 3.0, 1 / 3.0, 1 / 3.0}, within(tolerance));
    }

    @ParameterizedTest
    @EnumSource(names = {"TWO_CHOICES", "LEAST_REQUEST", "EWMA"})
    void whoLooksAtTheLoadGivesASlowOneThatJoinsLessAndThoseAlikeTheSame(BalancePolicy policy) {
        Model model = BalanceTables.comingAndGoing(policy);

        double[] joined = model.run(13, 20).shares();
        double[] left = model.run(23, 30).shares();

        assertThat(joined[3]).isLessThan(0.2);
        assertThat(joined[0]).isCloseTo(joined[1], within(0.05));
        assertThat(left[0]).isZero();
        assertThat(left[3]).isLessThan(0.25);
        assertThat(left[1]).isCloseTo(left[2], within(0.05));
    }

    @ParameterizedTest
    @EnumSource(names = {"TWO_CHOICES", "LEAST_REQUEST", "EWMA"})
    void whoLooksAtTheLoadGivesASlowStandbyLess(BalancePolicy policy) {
        List<Standby> standbys = new ArrayList<>(Collections.nCopies(3, Standby.usual()));
        standbys.add(new Standby(6, 4, 1, true));

        Outcome outcome = Model.run(policy, standbys, 12);

        assertThat(outcome.shares()[3]).isLessThan(0.2);
        assertThat(outcome.readsPerSecond())
                .isGreaterThan(
                        1.5 * Model.run(BalancePolicy.ROUND_ROBIN, standbys, 12).readsPerSecond());
    }
}
