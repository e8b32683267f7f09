package io.plenum.pooler.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.wire.startup.CancelKey;
import java.net.InetAddress;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeerKeysTest {
    /** The places are those of PgBouncer's welcome_client: second and third byte, and two bits of the last. */
    @Test
    void idAndHopsStandWherePgbouncerHasThem() {
        CancelKey key = PeerKeys.issuedBy(0x1234, new CancelKey(0x7abb_ccdd, new byte[] {1, 2, 3, 4}));

        assertThat(key.processId()).isEqualTo(0x7a34_12dd);
        assertThat(key.secret()).containsExactly(1, 2, 3, 7);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 255, 256, 4095, PeerKeys.MAX_ID})
    void idIsReadBack(int id) {
        CancelKey key = PeerKeys.issuedBy(id, new CancelKey(Integer.MAX_VALUE, new byte[32]));

        assertThat(PeerKeys.idOf(key)).isEqualTo(id);
        assertThat(key.processId()).isPositive();
    }

    @Test
    void keyIsPassedOnThreeTimesAndStaysTheSameButForThat() {
        CancelKey issued = PeerKeys.issuedBy(9, new CancelKey(77, new byte[] {0, 0, 0, (byte) 0xff}));
        CancelKey key = issued;
        for (int left = 3; left > 0; left--) {
            assertThat(PeerKeys.hopsLeft(key)).isEqualTo(left);
            assertThat(PeerKeys.asIssued(key)).isEqualTo(issued);
            key = PeerKeys.passedOn(key);
        }

        assertThat(PeerKeys.hopsLeft(key)).isZero();
        assertThat(PeerKeys.asIssued(key)).isEqualTo(issued);
        assertThat(key).isNotEqualTo(issued);
    }

    @Test
    void addressesOfOneNetworkHaveIdsOfTheirOwn() {
        Set<Integer> ids = IntStream.range(1, 100)
                .mapToObj(last -> PeerKeys.idOf(InetAddress.ofLiteral("10.244.3." + last)))
                .collect(Collectors.toSet());

        assertThat(ids).hasSizeGreaterThan(97).allMatch(id -> id > 0 && id <= PeerKeys.MAX_ID);
    }
}
