package io.plenum.pooler.fuzz;

import static io.plenum.pooler.fuzz.Execution.demand;

import io.plenum.wire.ProtocolException;
import io.plenum.wire.auth.ScramClient;
import io.plenum.wire.auth.ScramSecret;
import io.plenum.wire.auth.ScramServer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/** A server that we log in to, or somebody who pretends to be it: it is believed only with the signature that proves the secret. */
public final class ScramClientFuzz {
    private static final String PASSWORD = "correct horse";
    private static final byte[] SALT = "sixteen bytes of".getBytes(StandardCharsets.US_ASCII);
    private static final int ITERATIONS = 10;
    private static final ScramSecret SECRET = ScramSecret.derive(PASSWORD, SALT, ITERATIONS);
    private static final ScramKeysByHand KEYS = ScramKeysByHand.of(PASSWORD, SALT, ITERATIONS);

    private ScramClientFuzz() {}

    /**
     * Called by the fuzzer. The first byte chooses whether the server is an honest one, with the rest of the input as what was
     * changed in its last message, or says the rest, with a line feed between its two messages.
     */
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length > 0) {
            byte[] rest = Arrays.copyOfRange(input, 1, input.length);
            Execution.of(input, () -> exchange((input[0] & 1) != 0, rest));
        }
    }

    private static void exchange(boolean honest, byte[] rest) {
        var client = ScramClient.withKeys(KEYS.clientKey(), KEYS.serverKey(), new CountingRandom());
        byte[] first = client.clientFirst();
        try {
            if (honest) {
                var server = new ScramServer(SECRET, new CountingRandom());
                byte[] serverFirst = server.onClientFirst(client.mechanism(), first);
                byte[] last = client.onServerFirst(serverFirst);
                var accepted = (ScramServer.Accepted) server.onClientFinal(last);
                byte[] serverFinal = Changes.of(accepted.serverFinal(), rest);
                boolean believed = believes(client, serverFinal);
                demand(believed || rest.length > 0, "the honest server is not believed");
                demand(!believed || proves(first, serverFirst, last, serverFinal), "believed without a proof");
                return;
            }
            int line = 0;
            while (line < rest.length && rest[line] != '\n') {
                line++;
            }
            byte[] serverFirst = Arrays.copyOf(rest, line);
            byte[] last = client.onServerFirst(serverFirst);
            demand(
                    new String(serverFirst, StandardCharsets.UTF_8).startsWith("r=" + nonce(first)),
                    "an answer to a nonce that is not ours");
            byte[] serverFinal = line < rest.length ? Arrays.copyOfRange(rest, line + 1, rest.length) : new byte[0];
            demand(
                    !believes(client, serverFinal) || proves(first, serverFirst, last, serverFinal),
                    "believed without a proof");
        } catch (ProtocolException refused) {
            demand(!String.valueOf(refused.getMessage()).contains(PASSWORD), "the refusal tells the password");
        }
    }

    private static boolean believes(ScramClient client, byte[] serverFinal) {
        try {
            client.onServerFinal(serverFinal);
            return true;
        } catch (ProtocolException refused) {
            return false;
        }
    }

    private static boolean proves(byte[] first, byte[] serverFirst, byte[] last, byte[] serverFinal) {
        String text = new String(last, StandardCharsets.UTF_8);
        String signed = new String(first, StandardCharsets.UTF_8).substring("n,,".length()) + ","
                + new String(serverFirst, StandardCharsets.UTF_8) + "," + text.substring(0, text.lastIndexOf(",p="));
        String said = new String(serverFinal, StandardCharsets.UTF_8);
        int comma = said.indexOf(',');
        String signature = said.substring("v=".length(), comma < 0 ? said.length() : comma);
        return Arrays.equals(Base64.getDecoder().decode(signature), KEYS.serverSignature(signed));
    }

    private static String nonce(byte[] first) {
        String text = new String(first, StandardCharsets.UTF_8);
        return text.substring(text.indexOf("r=") + 2);
    }
}
