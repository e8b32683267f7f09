package io.plenum.pooler.auth;

import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.config.UserList;
import io.plenum.wire.auth.ScramSecret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How somebody who does not exist is made to look like somebody who does: the same kind of request, with a salt that stays
 * the same from one try to the next and from one process to the next. Any thread.
 *
 * <p>The salt is made of the name and of a secret that all processes with the same user list share, for it is made of that
 * list. A plain password's SCRAM salt is made so too, or its user could be told from those who do not exist.
 */
final class MockSecrets {
    private final byte[] random = new byte[32];
    private final AtomicInteger scramFound = new AtomicInteger();
    private final AtomicInteger othersFound = new AtomicInteger();
    private volatile int iterationsFound;
    private volatile @Nullable Key key;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Key(UserList madeOf, byte[] bytes, boolean mostlyScram, int iterations) {}

    MockSecrets(SecureRandom random) {
        random.nextBytes(this.random);
    }

    /**
     * A secret that no password fits.
     *
     * @param askedFor whether the user is one whom {@code auth_query} did not find
     * @param iterations what a secret that we make ourselves has
     */
    ScramSecret scram(PoolerConfig config, String user, boolean askedFor, int iterations) {
        Key now = key(config);
        int usual = askedFor ? iterationsFound : now.mostlyScram() ? now.iterations() : 0;
        return ScramSecret.mock(now.bytes(), user, usual > 0 ? usual : iterations);
    }

    /** The salt of the SCRAM secret that is made from a user's plain password. */
    byte[] salt(PoolerConfig config, String user) {
        return ScramSecret.mock(key(config).bytes(), user).salt();
    }

    /** Takes note of what {@code auth_query} found, so that whom it does not find seems to have the same. */
    void onFound(@Nullable Secret secret) {
        switch (secret) {
            case Secret.Scram(String text) -> {
                scramFound.incrementAndGet();
                ScramSecret parsed = ScramSecret.parse(text);
                if (parsed != null) {
                    iterationsFound = parsed.iterations();
                }
            }
            case null -> {}
            default -> othersFound.incrementAndGet();
        }
    }

    /**
     * Whether {@code auth_type = md5} means SCRAM for most users, as it does where their secrets are SCRAM's: such as
     * PostgreSQL makes them, until something else is found.
     */
    boolean isMostlyScram(PoolerConfig config, boolean askedFor) {
        return askedFor ? scramFound.get() >= othersFound.get() : key(config).mostlyScram();
    }

    private Key key(PoolerConfig config) {
        UserList users = config.userList();
        Key known = key;
        if (known != null && known.madeOf() == users) {
            return known;
        }
        Key made = make(users);
        key = made;
        return made;
    }

    private Key make(UserList users) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("plenum mock".getBytes(StandardCharsets.UTF_8));
            int scram = 0;
            int others = 0;
            int iterations = 0;
            for (String user : new TreeSet<>(users.names())) {
                Secret secret = users.secret(user);
                if (secret == null) {
                    continue;
                }
                String text = switch (secret) {
                    case Secret.Plain(String password) -> password;
                    case Secret.Md5(String hex) -> hex;
                    case Secret.Scram(String verifier) -> verifier;
                };
                digest.update((user + "\0" + text + "\0").getBytes(StandardCharsets.UTF_8));
                if (secret instanceof Secret.Scram) {
                    scram++;
                    ScramSecret parsed = ScramSecret.parse(text);
                    iterations = parsed == null ? iterations : parsed.iterations();
                } else {
                    others++;
                }
            }
            byte[] bytes = scram + others == 0 ? random : digest.digest(); // a key must be made of some secret
            return new Key(users, bytes, scram > others, iterations);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
