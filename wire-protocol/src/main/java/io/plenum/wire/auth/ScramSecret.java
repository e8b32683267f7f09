package io.plenum.wire.auth;

import com.ongres.scram.common.ScramFunctions;
import com.ongres.scram.common.ScramMechanism;
import com.ongres.scram.common.StringPreparation;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A password as PostgreSQL stores it for {@code scram-sha-256}: enough to check a client and to prove oneself to it,
 * not enough to log in with.
 *
 * <p>Text form {@code SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey}, the last three in base64 (RFC 5803).
 * Immutable.
 */
public final class ScramSecret {
    /** PostgreSQL's default of {@code scram_iterations}. */
    public static final int DEFAULT_ITERATIONS = 4096;

    static final ScramMechanism SHA_256 = ScramMechanism.SCRAM_SHA_256;

    /** Length of every key, in bytes: that of SHA-256. */
    static final int KEY = 32;

    private static final String PREFIX = "SCRAM-SHA-256$";

    /** Longest text that is looked at; with 16 bytes of salt one has about 135 characters. */
    private static final int MAX_TEXT = 1024;

    private static final int MAX_SALT = 256;

    /** SCRAM_DEFAULT_SALT_LEN: PostgreSQL makes all its salts so long, and so must we where we make one up. */
    private static final int DEFAULT_SALT = 16;

    /** Keys that nobody sees, and whose preimage nobody knows; the flag refuses even who might find one. */
    private static final byte[] NOBODY = new byte[KEY];

    private final byte[] salt;
    private final int iterations;
    private final byte[] storedKey;
    private final byte[] serverKey;
    private final boolean mock;

    private ScramSecret(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey, boolean mock) {
        this.salt = salt;
        this.iterations = iterations;
        this.storedKey = storedKey;
        this.serverKey = serverKey;
        this.mock = mock;
    }

    /** Whether the text claims to be such a secret; it may still be a damaged one. */
    static boolean isMeant(String text) {
        return text.startsWith(PREFIX);
    }

    /** The secret that a text holds, or null when the text is none, or a damaged one. */
    public static @Nullable ScramSecret parse(String text) {
        if (text.length() > MAX_TEXT || !isMeant(text)) {
            return null;
        }
        int colon = text.indexOf(':', PREFIX.length());
        int dollar = text.indexOf('$', PREFIX.length());
        int secondColon = text.indexOf(':', dollar + 1);
        if (colon < 0 || dollar < colon || secondColon < 0) {
            return null;
        }
        int iterations = positive(text.substring(PREFIX.length(), colon));
        byte[] salt = base64(text.substring(colon + 1, dollar));
        byte[] storedKey = base64(text.substring(dollar + 1, secondColon));
        byte[] serverKey = base64(text.substring(secondColon + 1));
        if (iterations <= 0
                || salt == null
                || salt.length == 0
                || salt.length > MAX_SALT
                || storedKey == null
                || storedKey.length != KEY
                || serverKey == null
                || serverKey.length != KEY) {
            return null;
        }
        return new ScramSecret(salt, iterations, storedKey, serverKey, false);
    }

    /**
     * The secret of a password. Slow by design, about a millisecond for 4,096 iterations: not for an event loop.
     *
     * <p>The password is prepared as PostgreSQL does it: by SASLprep, or left as it is where SASLprep forbids it.
     *
     * @param salt 1 to 256 bytes, by preference 16 random ones
     * @throws IllegalArgumentException when the password or the salt is empty or there is no iteration
     */
    public static ScramSecret derive(String password, byte[] salt, int iterations) {
        if (password.isEmpty() || salt.length == 0 || salt.length > MAX_SALT || iterations <= 0) {
            throw new IllegalArgumentException(
                    "a SCRAM secret wants a password, 1 to %d bytes of salt and an iteration".formatted(MAX_SALT));
        }
        byte[] salted = ScramFunctions.saltedPassword(
                SHA_256, StringPreparation.POSTGRESQL_PREPARATION, password.toCharArray(), salt, iterations);
        byte[] storedKey = ScramFunctions.storedKey(SHA_256, ScramFunctions.clientKey(SHA_256, salted));
        byte[] serverKey = ScramFunctions.serverKey(SHA_256, salted);
        Arrays.fill(salted, (byte) 0);
        return new ScramSecret(salt.clone(), iterations, storedKey, serverKey, false);
    }

    /**
     * A secret that no password fits, for a user that does not exist: the exchange goes its full length, and its salt
     * is the same at each try and on each pooler that knows the server secret, so that nobody learns who exists.
     *
     * @param serverSecret the same on all poolers of a cluster, and known to them alone
     * @param iterations what the real users' secrets have; another number would tell
     */
    public static ScramSecret mock(byte[] serverSecret, String user, int iterations) {
        byte[] name = user.getBytes(StandardCharsets.UTF_8);
        byte[] salt = Arrays.copyOf(ScramFunctions.hmac(SHA_256, serverSecret, name), DEFAULT_SALT);
        return new ScramSecret(salt, iterations, NOBODY, NOBODY, true);
    }

    /** {@link #mock(byte[], String, int)} with {@link #DEFAULT_ITERATIONS}. */
    public static ScramSecret mock(byte[] serverSecret, String user) {
        return mock(serverSecret, user, DEFAULT_ITERATIONS);
    }

    public byte[] salt() {
        return salt.clone();
    }

    public int iterations() {
        return iterations;
    }

    /** The key that proves a server; with a client's ClientKey it also logs in, see {@link ScramClient#withKeys}. */
    public byte[] serverKey() {
        return serverKey.clone();
    }

    /** Whether this is nobody's secret, which no proof satisfies. */
    public boolean isMock() {
        return mock;
    }

    /**
     * Whether this is the secret of a password that came in clear text. As slow as {@link #derive}, whatever the
     * answer.
     */
    public boolean isOf(String password) {
        if (password.isEmpty()) {
            return false;
        }
        ScramSecret derived = derive(password, salt, iterations);
        return MessageDigest.isEqual(storedKey, derived.storedKey) && !mock;
    }

    /** {@link #isOf(String)} for the bytes of a PasswordMessage; bytes that are no UTF-8 are nobody's password. */
    public boolean isOf(byte[] password) {
        try {
            return isOf(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(password))
                    .toString());
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** The text form, as PostgreSQL stores it. A secret: not for logs. */
    public String encoded() {
        Base64.Encoder base64 = Base64.getEncoder();
        return PREFIX
                + iterations
                + ':'
                + base64.encodeToString(salt)
                + '$'
                + base64.encodeToString(storedKey)
                + ':'
                + base64.encodeToString(serverKey);
    }

    /** The ClientKey that a proof holds when it is one for this secret and these messages, else null. */
    byte @Nullable [] clientKey(byte[] proof, String authMessage) {
        byte[] signature = ScramFunctions.clientSignature(SHA_256, storedKey, authMessage);
        // The proof is ClientKey XOR signature, and XOR undoes itself.
        byte[] clientKey = ScramFunctions.clientProof(proof, signature);
        boolean proven = MessageDigest.isEqual(storedKey, ScramFunctions.storedKey(SHA_256, clientKey));
        return proven && !mock ? clientKey : null;
    }

    byte[] serverSignature(String authMessage) {
        return ScramFunctions.serverSignature(SHA_256, serverKey, authMessage);
    }

    /** A number above 0 in plain decimal digits, or 0 for anything else. */
    static int positive(String text) {
        if (text.isEmpty() || text.length() > 10) {
            return 0;
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return 0;
            }
            value = 10 * value + (c - '0');
        }
        return value > Integer.MAX_VALUE ? 0 : (int) value;
    }

    /** Strict base64: padded, no other character; null for anything else. */
    static byte @Nullable [] base64(String text) {
        if (text.length() % 4 != 0) {
            return null;
        }
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScramSecret secret
                && iterations == secret.iterations
                && mock == secret.mock
                && MessageDigest.isEqual(salt, secret.salt)
                && MessageDigest.isEqual(storedKey, secret.storedKey)
                && MessageDigest.isEqual(serverKey, secret.serverKey);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(salt); // public in every login
    }

    @Override
    public String toString() {
        return "ScramSecret[hidden]";
    }
}
