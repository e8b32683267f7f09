package io.plenum.routing;

import io.plenum.wire.AsciiCase;
import org.jspecify.annotations.Nullable;

/** The setting {@code read_routing}: how much is left to the classifier. */
public enum RoutingPolicy {
    /** Proven reads and transactions declared read-only go to replicas. */
    AUTO,
    /** Only what the client itself declared read-only goes to replicas. */
    EXPLICIT,
    /** Everything goes to the primary. */
    OFF;

    /** The policy of this name as settings write it, in any case; null where there is none. */
    public static @Nullable RoutingPolicy named(String name) {
        return switch (AsciiCase.lower(name.strip())) {
            case "auto" -> AUTO;
            case "explicit" -> EXPLICIT;
            case "off" -> OFF;
            default -> null;
        };
    }

    /** The name as settings and SHOW CONFIG write it. */
    public String label() {
        return AsciiCase.lower(name());
    }
}
