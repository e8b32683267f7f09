package io.plenum.routing;

import io.plenum.wire.AsciiCase;
import org.jspecify.annotations.Nullable;

/** The setting {@code routing_hints}: what clients may ask for. */
public enum HintPolicy {
    /** Hints mean nothing. */
    OFF,
    /** A client may have what it says run on the primary. */
    PRIMARY,
    /** A client may also have a standby run what was not proven to read; what writes goes to the primary all the same. */
    ON;

    /** The policy of this name as the setting writes it, in any case; null where there is none. */
    public static @Nullable HintPolicy named(String name) {
        return switch (AsciiCase.lower(name.strip())) {
            case "off" -> OFF;
            case "primary" -> PRIMARY;
            case "on" -> ON;
            default -> null;
        };
    }
}
