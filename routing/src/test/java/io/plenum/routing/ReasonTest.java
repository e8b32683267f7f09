package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReasonTest {
    @Test
    void settingsAreFollowedAndOtherStateOfTheSessionPins() {
        assertThat(Stream.of(Reason.values()).filter(Reason::changesSettings))
                .containsExactly(Reason.SESSION_SETTING, Reason.SESSION_ROLE);
        assertThat(Stream.of(Reason.values()).filter(Reason::pins))
                .containsExactly(
                        Reason.SESSION_STATE,
                        Reason.SQL_PREPARE,
                        Reason.LISTEN,
                        Reason.HOLD_CURSOR,
                        Reason.TEMPORARY_OBJECT,
                        Reason.SESSION_LOCK,
                        Reason.SESSION_DOUBT);
    }

    @Test
    void whatPinsAndWhatChangesSettingsLeavesStateAndNothingElseDoes() {
        for (Reason reason : Reason.values()) {
            assertThat(reason.leavesState()).isEqualTo(reason.pins() || reason.changesSettings());
        }
    }

    @Test
    void stateOfTheSessionStandsAtTheEndAndPinsLast() {
        for (Reason reason : Reason.values()) {
            for (Reason other : Reason.values()) {
                assertThat(reason.or(other).pins()).isEqualTo(reason.pins() || other.pins());
                assertThat(reason.or(other).leavesState()).isEqualTo(reason.leavesState() || other.leavesState());
            }
        }
    }

    @Test
    void whateverLeavesStateGoesToThePrimary() {
        assertThat(Stream.of(Reason.values()).filter(Reason::leavesState))
                .allMatch(reason -> reason.target() == Target.PRIMARY);
    }
}
