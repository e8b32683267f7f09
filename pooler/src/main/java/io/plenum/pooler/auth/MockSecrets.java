package io.plenum.pooler.auth;

import io.plenum.pooler.config.Secret;
import io.plenum.wire.auth.ScramSecret;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * As whom somebody who does not exist is treated: as most users are of those whom {@code auth_file} has, or whom
 * {@code auth_query} has found so far, for the others are not known. Any thread.
 */
final class MockSecrets {
    private final AtomicInteger scramFound = new AtomicInteger();
    private final AtomicInteger md5Found = new AtomicInteger();
    private final AtomicInteger plainFound = new AtomicInteger();
    private volatile int iterationsFound;
    private volatile String found = "";

    /**
     * A secret that no password fits.
     *
     * @param askedFor whether the user is one whom {@code auth_query} did not find
     */
    ScramSecret scram(KnownUsers users, String user, boolean askedFor) {
        int usual = iterationsFound;
        return users.mock(user, !askedFor ? users.usualIterations() : usual > 0 ? usual : users.iterations());
    }

    /** A SCRAM secret such as most users have; no text where they have none. */
    String example(KnownUsers users, boolean askedFor) {
        return askedFor ? found : users.example();
    }

    /** Takes note of what {@code auth_query} found. */
    void onFound(@Nullable Secret secret) {
        switch (secret) {
            case Secret.Scram(String text) -> {
                scramFound.incrementAndGet();
                ScramSecret parsed = ScramSecret.parse(text);
                if (parsed != null) {
                    iterationsFound = parsed.iterations();
                    found = text;
                }
            }
            case Secret.Md5 _ -> md5Found.incrementAndGet();
            case Secret.Plain _ -> plainFound.incrementAndGet();
            case null -> {}
        }
    }

    /**
     * Whether {@code auth_type = md5} means SCRAM for most users, as it does where their secrets are SCRAM's: such as
     * PostgreSQL makes them, until something else is found.
     */
    boolean isMostlyScram(KnownUsers users, boolean askedFor) {
        return askedFor ? scramFound.get() >= md5Found.get() + plainFound.get() : users.areMostlyScram();
    }

    /** Whether a login by SCRAM derives the secret of most users first. */
    boolean isMostlyDerived(KnownUsers users, boolean askedFor) {
        return askedFor ? plainFound.get() > md5Found.get() + scramFound.get() : users.areMostlyDerivedAtLogin();
    }
}
