package io.plenum.testbed;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of a password login: cleartext, md5 and SCRAM-SHA-256 without channel binding, on the JDK's
 * cryptography alone.
 *
 * <p>The password is used as it is: SASLprep changes nothing in ASCII, and tests keep to that. RFC 5802 and the manual,
 * "SASL Authentication".
 */
final class Login {
    private static final String SCRAM = "SCRAM-SHA-256";
    private static final String NO_CHANNEL_BINDING = "n,,";

    private final String user;
    private final @Nullable String password;
    private String clientFirst = "";
    private byte[] expectedServerSignature = new byte[0];
    private boolean serverProved;

    Login(String user, @Nullable String password) {
        this.user = user;
        this.password = password;
    }

    /** The answer to an Authentication message, or null where none is due (AuthenticationOk and the end of SASL). */
    byte @Nullable [] answer(Message authentication) throws IOException {
        var in = ByteBuffer.wrap(authentication.body());
        int kind = in.getInt();
        return switch (kind) {
            case 0 -> {
                if (!clientFirst.isEmpty() && !serverProved) {
                    throw new IOException("the server let us in without proving that it knows the password");
                }
                yield null;
            }
            case 3 -> zeroTerminated(password());
            case 5 -> {
                var salt = new byte[4];
                in.get(salt);
                yield zeroTerminated(md5(salt));
            }
            case 10 -> saslInitial(in);
            case 11 -> saslContinue(rest(in));
            case 12 -> {
                var server = attributes(rest(in));
                var signature = Base64.getDecoder().decode(server.getOrDefault('v', ""));
                if (!MessageDigest.isEqual(signature, expectedServerSignature)) {
                    throw new IOException("the server's SCRAM signature is wrong");
                }
                serverProved = true;
                yield null;
            }
            default -> throw new IOException("authentication request " + kind + " is not known here");
        };
    }

    private String password() throws IOException {
        if (password == null) {
            throw new IOException("the server asks for a password and the test gave none");
        }
        return password;
    }

    private String md5(byte[] salt) throws IOException {
        var inner = hex(digest("MD5", bytes(password() + user)));
        return "md5" + hex(digest("MD5", Frames.join(bytes(inner), salt)));
    }

    private byte[] saslInitial(ByteBuffer in) throws IOException {
        boolean offered = false;
        while (in.get(in.position()) != 0) {
            offered |= Message.string(in).equals(SCRAM);
        }
        if (!offered) {
            throw new IOException("the server does not offer " + SCRAM);
        }
        password();
        var nonce = new byte[18];
        new SecureRandom().nextBytes(nonce);
        clientFirst = "n=,r=" + Base64.getEncoder().encodeToString(nonce);
        var response = bytes(NO_CHANNEL_BINDING + clientFirst);
        return Frames.join(
                bytes(SCRAM + "\0"),
                ByteBuffer.allocate(4).putInt(response.length).array(),
                response);
    }

    private byte[] saslContinue(String serverFirst) throws IOException {
        var server = attributes(serverFirst);
        var nonce = server.getOrDefault('r', "");
        if (!nonce.startsWith(clientFirst.substring("n=,r=".length()))) {
            throw new IOException("the server's nonce does not begin with ours");
        }
        var salt = Base64.getDecoder().decode(server.getOrDefault('s', ""));
        var salted = pbkdf2(bytes(password()), salt, Integer.parseInt(server.getOrDefault('i', "0")));
        var withoutProof = "c=" + Base64.getEncoder().encodeToString(bytes(NO_CHANNEL_BINDING)) + ",r=" + nonce;
        var transcript = bytes(clientFirst + "," + serverFirst + "," + withoutProof);

        var clientKey = hmac(salted, bytes("Client Key"));
        var proof = xor(clientKey, hmac(digest("SHA-256", clientKey), transcript));
        expectedServerSignature = hmac(hmac(salted, bytes("Server Key")), transcript);
        return bytes(withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof));
    }

    /** PBKDF2 with one block, which is all that SHA-256's 32 bytes need. */
    private static byte[] pbkdf2(byte[] password, byte[] salt, int iterations) {
        var block = hmac(password, Frames.join(salt, new byte[] {0, 0, 0, 1}));
        var result = block;
        for (int i = 1; i < iterations; i++) {
            block = hmac(password, block);
            result = xor(result, block);
        }
        return result;
    }

    private static Map<Character, String> attributes(String message) {
        Map<Character, String> attributes = new HashMap<>();
        for (var part : message.split(",", -1)) {
            if (part.length() > 1) {
                attributes.put(part.charAt(0), part.substring(2));
            }
        }
        return attributes;
    }

    private static byte[] xor(byte[] left, byte[] right) {
        var result = Arrays.copyOf(left, left.length);
        for (int i = 0; i < result.length; i++) {
            result[i] ^= right[i];
        }
        return result;
    }

    private static byte[] hmac(byte[] key, byte[] data) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            // The JDK refuses an empty key; HMAC pads any key with zeros, so one zero byte is the same key.
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, "HmacSHA256"));
            return mac.doFinal(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HmacSHA256", e);
        }
    }

    private static byte[] digest(String algorithm, byte[] data) {
        try {
            return MessageDigest.getInstance(algorithm).digest(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + algorithm, e);
        }
    }

    private static String rest(ByteBuffer in) {
        return StandardCharsets.UTF_8.decode(in).toString();
    }

    private static byte[] zeroTerminated(String text) {
        return bytes(text + "\0");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
