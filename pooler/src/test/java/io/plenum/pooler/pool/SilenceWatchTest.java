package io.plenum.pooler.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.pool.SilenceWatch.Finding;
import io.plenum.routing.topology.Observation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SilenceWatchTest {
    private static final long MILLI = 1_000_000;
    private static final boolean OWED = true;
    private static final Observation BEFORE = seenAt(1);
    private static final Observation SINCE = seenAt(2);

    private final SilenceWatch watch = new SilenceWatch();
    private long now = 5_000 * MILLI;

    private static Observation seenAt(long nanos) {
        return new Observation(true, 0, 0, 0, nanos);
    }

    /** Looks as often as pools do, for so long; gives what was found last. */
    private Finding look(long millis, long bytes, @Nullable Observation lastSeen) {
        Finding found = Finding.WELL;
        for (long passed = 0; passed < millis; passed += 100) {
            now += 100 * MILLI;
            found = watch.look(bytes, OWED, lastSeen, now);
        }
        return found;
    }

    @Test
    void aNodeFromWhichNothingComesIsSilentWhenItAnswersNoProbeEither() {
        assertThat(look(300, 10, BEFORE)).isEqualTo(Finding.WELL);
        assertThat(look(100, 10, BEFORE)).isEqualTo(Finding.ODD);
        assertThat(look(200, 10, BEFORE)).isEqualTo(Finding.WAITED_FOR);

        assertThat(look(100, 10, BEFORE)).isEqualTo(Finding.SILENT);
    }

    @Test
    void aNodeThatAnswersItsProbeIsOnlySlow() {
        look(500, 10, BEFORE);

        assertThat(look(100, 10, SINCE)).isEqualTo(Finding.WELL);
    }

    @Test
    void whoLooksLateDoesNotBlameTheNodeForIt() {
        look(200, 10, BEFORE);
        now += 2_000 * MILLI;

        assertThat(look(100, 10, BEFORE)).isEqualTo(Finding.WELL);
    }

    @Test
    void whoLooksLateDoesNotTakeASilentNodeForOneThatAnswers() {
        look(1_000, 10, BEFORE);
        now += 500 * MILLI;

        assertThat(look(100, 10, BEFORE)).isEqualTo(Finding.SILENT);
        assertThat(look(100, 10, SINCE)).isEqualTo(Finding.WELL);
    }

    @Test
    void aSilentNodeIsNotTakenForOneThatAnswersBecauseItsConnectionsAreClosed() {
        look(1_000, 10, BEFORE);

        assertThat(watch.look(0, false, BEFORE, now + 100 * MILLI)).isEqualTo(Finding.SILENT);
    }

    /** One that answers nothing at all is soon known to be down; who refuses our probes is there. */
    @Test
    void aSilentNodeThatIsNotFoundToBeDownIsTriedAgain() {
        assertThat(look(9_000, 10, BEFORE)).isEqualTo(Finding.SILENT);

        assertThat(look(1_500, 10, BEFORE)).isNotEqualTo(Finding.SILENT);
    }
}
