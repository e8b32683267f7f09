package io.plenum.wire.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A password as PostgreSQL stores it for {@code md5}: {@code md5} and the hexadecimal MD5 of password and user name.
 *
 * <p>Manual, "Message Flow", AuthenticationMD5Password. Whoever knows the secret can log in with it; it is as good as
 * the password. Immutable.
 */
public final class Md5Secret {
    private static final String PREFIX = "md5";
    private static final int HEX_DIGITS = 32;

    private final byte[] hex;

    private Md5Secret(byte[] hex) {
        this.hex = hex;
    }

    /** The secret of a password; the user name is its salt. */
    public static Md5Secret of(String user, String password) {
        return new Md5Secret(hexMd5(password.getBytes(StandardCharsets.UTF_8), user.getBytes(StandardCharsets.UTF_8)));
    }

    /** The secret that a text holds, or null when the text is none. */
    public static @Nullable Md5Secret parse(String text) {
        if (text.length() != PREFIX.length() + HEX_DIGITS || !text.startsWith(PREFIX)) {
            return null;
        }
        for (int i = PREFIX.length(); i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) { // PostgreSQL takes lower case alone
                return null;
            }
        }
        return new Md5Secret(text.substring(PREFIX.length()).getBytes(StandardCharsets.US_ASCII));
    }

    /** What answers a request with this salt: the body of a PasswordMessage, without the NUL. */
    public byte[] response(byte[] salt) {
        byte[] digits = hexMd5(hex, salt);
        byte[] response = new byte[PREFIX.length() + digits.length];
        System.arraycopy(PREFIX.getBytes(StandardCharsets.US_ASCII), 0, response, 0, PREFIX.length());
        System.arraycopy(digits, 0, response, PREFIX.length(), digits.length);
        return response;
    }

    /** Whether somebody who was sent the salt and answered so knows the secret. Takes the same time either way. */
    public boolean verify(byte[] response, byte[] salt) {
        return MessageDigest.isEqual(response(salt), response);
    }

    /** Whether this is the secret of that user's password, which came in clear text. Takes the same time either way. */
    public boolean isOf(String user, byte[] password) {
        return MessageDigest.isEqual(hex, hexMd5(password, user.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] hexMd5(byte[] first, byte[] second) {
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            md5.update(first);
            return HexFormat.of().formatHex(md5.digest(second)).getBytes(StandardCharsets.US_ASCII);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Md5Secret secret && MessageDigest.isEqual(hex, secret.hex);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(hex);
    }

    @Override
    public String toString() {
        return "Md5Secret[hidden]";
    }
}
