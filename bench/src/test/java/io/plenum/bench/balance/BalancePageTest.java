package io.plenum.bench.balance;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.routing.balance.BalancePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BalancePageTest {
    private static final String BEGIN = "<!-- made by: ./plenum bench balance -->\n";

    @Test
    void pageHasWhatTheModelSays() throws IOException {
        Path page = root().resolve("docs/balance.md");
        String text = Files.readString(page);
        String expected = text.substring(0, text.indexOf(BEGIN) + BEGIN.length()) + "\n"
                + BalanceTables.all().strip() + "\n";
        if (Boolean.getBoolean("write-docs")) {
            Files.writeString(page, expected);
        }

        assertThat(Files.readString(page)).as("-Dwrite-docs=true rewrites it").isEqualTo(expected);
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

    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.exists(here.resolve("docs/settings.md")) ? here : Objects.requireNonNull(here.getParent());
    }
}
