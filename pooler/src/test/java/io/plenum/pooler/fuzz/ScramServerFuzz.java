package io.plenum.pooler.fuzz;

import static io.plenum.pooler.fuzz.Execution.demand;

import io.plenum.wire.ProtocolException;
import io.plenum.wire.auth.ScramClient;
import io.plenum.wire.auth.ScramSecret;
import io.plenum.wire.auth.ScramServer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * A client that proves itself to us, or does not: whatever it says, it is let in only with the proof that a second reading of RFC
 * 5802 makes for the very messages that were exchanged.
 */
public final class ScramServerFuzz {
    private static final String PASSWORD = "correct horse";
    private static final byte[] SALT = "sixteen bytes of".getBytes(StandardCharsets.US_ASCII);
    private static final int ITERATIONS = 10;
    private static final ScramSecret SECRET = ScramSecret.derive(PASSWORD, SALT, ITERATIONS);
    private static final ScramKeysByHand KEYS = ScramKeysByHand.of(PASSWORD, SALT, ITERATIONS);
    private static final byte[] END_POINT = new byte[32];

    private ScramServerFuzz() {}

    /**
     * Called by the fuzzer. The first byte chooses: whether there is a channel to bind to, whether the secret is a mock, whether
     * the messages are an honest client's with the rest of the input as what was changed in them, or the rest itself, with a line
     * feed between the two.
     */
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length > 0) {
            byte[] rest = Arrays.copyOfRange(input, 1, input.length);
            Execution.of(input, () -> exchange(input[0], rest));
        }
    }

    private static void exchange(byte choice, byte[] rest) {
        boolean binds = (choice & 1) != 0;
        boolean mock = (choice & 2) != 0;
        boolean honest = (choice & 4) != 0;
        ScramSecret secret = mock ? ScramSecret.mock(SALT, "nobody", ITERATIONS) : SECRET;
        var server = new ScramServer(secret, new CountingRandom(), binds ? END_POINT : null);
        try {
            if (honest) {
                honest(server, secret, binds, mock, rest);
            } else {
                int line = 0;
                while (line < rest.length && rest[line] != '\n') {
                    line++;
                }
                byte[] first = Arrays.copyOf(rest, line);
                String mechanism = (choice & 8) != 0 ? ScramServer.MECHANISM_PLUS : ScramServer.MECHANISM;
                byte[] serverFirst = server.onClientFirst(mechanism, first);
                byte[] last = line < rest.length ? Arrays.copyOfRange(rest, line + 1, rest.length) : new byte[0];
                judge(server.onClientFinal(last), mock, first, serverFirst, last);
            }
        } catch (ProtocolException refused) {
            demand(!String.valueOf(refused.getMessage()).contains(PASSWORD), "the refusal tells the password");
        }
    }

    private static void honest(ScramServer server, ScramSecret secret, boolean binds, boolean mock, byte[] changes) {
        var binding = binds ? new ScramClient.Binding(END_POINT, true) : ScramClient.Binding.NONE;
        var client = ScramClient.withKeys(KEYS.clientKey(), KEYS.serverKey(), new CountingRandom(), binding);
        byte[] first = client.clientFirst();
        byte[] serverFirst = server.onClientFirst(client.mechanism(), first);
        byte[] last = Changes.of(client.onServerFirst(serverFirst), changes);
        ScramServer.Result result = server.onClientFinal(last);
        judge(result, mock, first, serverFirst, last);
        demand(
                changes.length > 0 || mock || result instanceof ScramServer.Accepted,
                "who knows the password is not let in, of %s",
                secret);
    }

    private static void judge(ScramServer.Result result, boolean mock, byte[] first, byte[] serverFirst, byte[] last) {
        if (result instanceof ScramServer.Accepted accepted) {
            demand(!mock, "nobody was let in");
            String text = new String(last, StandardCharsets.UTF_8);
            int proofAt = text.lastIndexOf(",p=");
            String bare = afterHeader(new String(first, StandardCharsets.UTF_8));
            String signed =
                    bare + "," + new String(serverFirst, StandardCharsets.UTF_8) + "," + text.substring(0, proofAt);
            byte[] proof = Base64.getDecoder().decode(text.substring(proofAt + 3));
            demand(Arrays.equals(proof, KEYS.proof(signed)), "let in with another proof");
            demand(Arrays.equals(accepted.clientKey(), KEYS.clientKey()), "another ClientKey");
            String nonce = attribute(new String(serverFirst, StandardCharsets.UTF_8), "r=");
            demand(text.contains(",r=" + nonce), "another nonce");
        }
    }

    /** What stands behind the gs2 header. */
    private static String afterHeader(String first) {
        return first.substring(first.indexOf(',', first.indexOf(',') + 1) + 1);
    }

    private static String attribute(String message, String name) {
        int start = message.indexOf(name) + name.length();
        int end = message.indexOf(',', start);
        return message.substring(start, end < 0 ? message.length() : end);
    }
}
