package io.plenum.routing.balance;

import io.plenum.wire.AsciiCase;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The setting {@code balance}: how a read finds its replica. */
public enum BalancePolicy {
    /** {@link TwoChoices} */
    TWO_CHOICES,
    /** {@link RoundRobin} */
    ROUND_ROBIN,
    /** {@link LeastRequest} */
    LEAST_REQUEST,
    /** {@link RandomChoice} */
    RANDOM,
    /** {@link RingHash} */
    RING_HASH,
    /** {@link Maglev} */
    MAGLEV,
    /** {@link LowestLatency} */
    EWMA;

    /** The policy of this name as settings write it, in any case; null where there is none. */
    public static @Nullable BalancePolicy named(String name) {
        return switch (AsciiCase.lower(name.strip())) {
            case "two_choices" -> TWO_CHOICES;
            case "round_robin" -> ROUND_ROBIN;
            case "least_request" -> LEAST_REQUEST;
            case "random" -> RANDOM;
            case "ring_hash" -> RING_HASH;
            case "maglev" -> MAGLEV;
            case "ewma" -> EWMA;
            default -> null;
        };
    }

    /** The name as settings and SHOW CONFIG write it. */
    public String label() {
        return AsciiCase.lower(name());
    }

    /** A balancer for one event loop; the generator is used by that loop alone. */
    public Balancer create(RandomGenerator random) {
        return switch (this) {
            case TWO_CHOICES -> new TwoChoices(random);
            case ROUND_ROBIN -> new RoundRobin(random);
            case LEAST_REQUEST -> new LeastRequest(random);
            case RANDOM -> new RandomChoice(random);
            case RING_HASH -> new RingHash();
            case MAGLEV -> new Maglev();
            case EWMA -> new LowestLatency(random);
        };
    }
}
