package io.plenum.pooler.auth;

import io.plenum.pooler.config.LoginMethod;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.config.UserList;
import io.plenum.wire.auth.ScramSecret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The users of one {@code auth_file}, and what makes those who are not in it look like them: the same kind of request, in the
 * same time, with a salt that stays the same from one try to the next and from one process to the next.
 *
 * <p>The salt is made of the name and of a key that all processes with the same user list share, for it is made of that
 * list. A plain password's SCRAM secret has such a salt too, or its user could be told from those who do not exist. It is
 * derived here, before anybody asks for it: thousands of hashes at a user's first login, and at nobody's, would tell as much.
 * Immutable; any thread.
 */
final class KnownUsers {
    /** More would hold up a start or a reload, by more than a second or two: then each login hashes, and nobody's too. */
    private static final long MOST_ITERATIONS = 1_000L * ScramSecret.DEFAULT_ITERATIONS;

    private final UserList list;
    private final Key key;
    private final int iterations;
    private final Map<String, ScramSecret> derived;

    /**
     * What is made of all secrets together.
     *
     * @param usual iterations of most SCRAM secrets; 0 where most secrets are of other kinds
     * @param example one of them; no text then
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared as a whole
    private record Key(byte[] bytes, int plain, boolean mostlyPlain, int usual, String example) {
        @Override
        public String toString() {
            return "Key[***]";
        }
    }

    private KnownUsers(UserList list, Key key, int iterations, Map<String, ScramSecret> derived) {
        this.list = list;
        this.key = key;
        this.iterations = iterations;
        this.derived = derived;
    }

    /**
     * Takes seconds where there are many users, so never on a loop.
     *
     * @param random what the key is made of where there is no secret
     * @param before those of the configuration in force; what has not changed is not derived again
     */
    static KnownUsers of(PoolerConfig config, byte[] random, @Nullable KnownUsers before) {
        UserList list = config.userList();
        int iterations = config.get(Settings.SCRAM_ITERATIONS);
        Key key = before != null && before.list == list ? before.key : key(list, random);
        boolean ahead = asksForScram(config) && (long) key.plain() * iterations <= MOST_ITERATIONS;
        if (!ahead || key.plain() == 0) {
            return new KnownUsers(list, key, iterations, Map.of());
        }
        if (before != null
                && before.iterations == iterations
                && MessageDigest.isEqual(before.key.bytes(), key.bytes())
                && !before.derived.isEmpty()) {
            return new KnownUsers(list, key, iterations, before.derived);
        }
        return new KnownUsers(list, key, iterations, derive(list, key, iterations));
    }

    private static boolean asksForScram(PoolerConfig config) {
        return switch (config.get(Settings.AUTH_TYPE)) {
            case SCRAM_SHA_256 -> true;
            case HBA ->
                config.loginRules().hba().rules().stream().anyMatch(rule -> rule.method() == LoginMethod.SCRAM_SHA_256);
            case ANY, TRUST, PLAIN, MD5, CERT, LDAP, PAM -> false;
        };
    }

    private static Map<String, ScramSecret> derive(UserList list, Key key, int iterations) {
        Map<String, ScramSecret> derived = HashMap.newHashMap(key.plain());
        for (String user : list.names()) {
            if (list.secret(user) instanceof Secret.Plain(String password)) {
                byte[] salt = ScramSecret.mock(key.bytes(), user, iterations).salt();
                derived.put(user, ScramSecret.derive(password, salt, iterations));
            }
        }
        return derived;
    }

    private static Key key(UserList list, byte[] random) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("plenum mock".getBytes(StandardCharsets.UTF_8));
            int plain = 0;
            int md5 = 0;
            Map<Integer, Integer> scram = new HashMap<>();
            String example = "";
            for (String user : new TreeSet<>(list.names())) {
                String text;
                switch (list.secret(user)) {
                    case Secret.Plain(String password) -> {
                        text = password;
                        plain++;
                    }
                    case Secret.Md5(String hex) -> {
                        text = hex;
                        md5++;
                    }
                    case Secret.Scram(String verifier) -> {
                        text = verifier;
                        example = verifier;
                        ScramSecret parsed = ScramSecret.parse(verifier);
                        scram.merge(parsed == null ? 0 : parsed.iterations(), 1, Integer::sum);
                    }
                    case null -> {
                        continue;
                    }
                }
                digest.update((user + "\0" + text + "\0").getBytes(StandardCharsets.UTF_8));
            }
            int ofScram = scram.values().stream().mapToInt(Integer::intValue).sum();
            boolean mostlyScram = ofScram > plain + md5;
            boolean none = plain + md5 + ofScram == 0; // a key must be made of some secret
            return new Key(
                    none ? random : digest.digest(),
                    plain,
                    plain > 0 && plain >= md5 + ofScram,
                    mostlyScram ? mostFrequent(scram) : 0,
                    mostlyScram ? example : "");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static int mostFrequent(Map<Integer, Integer> counts) {
        int found = 0;
        int most = 0;
        for (Map.Entry<Integer, Integer> count : counts.entrySet()) {
            if (count.getValue() > most) {
                found = count.getKey();
                most = count.getValue();
            }
        }
        return found;
    }

    UserList list() {
        return list;
    }

    /** Whether most users have a SCRAM secret. */
    boolean areMostlyScram() {
        return key.usual() > 0;
    }

    /** What most SCRAM secrets have, or those that are derived from passwords. */
    int usualIterations() {
        return key.usual() > 0 ? key.usual() : iterations;
    }

    /** A SCRAM secret such as most users have; no text where they have none. */
    String example() {
        return key.example();
    }

    /** What a secret has that is derived from a password. */
    int iterations() {
        return iterations;
    }

    /** Whether the SCRAM secret of most users is derived at each of their logins. */
    boolean areMostlyDerivedAtLogin() {
        return key.mostlyPlain() && derived.isEmpty();
    }

    /** The SCRAM secret that was derived from the user's plain password; null where it was not. */
    @Nullable
    ScramSecret derived(String user) {
        return derived.get(user);
    }

    /** A secret with the salt of that name, that no password fits. */
    ScramSecret mock(String user, int iterations) {
        return ScramSecret.mock(key.bytes(), user, iterations);
    }
}
