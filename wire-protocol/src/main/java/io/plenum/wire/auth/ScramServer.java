package io.plenum.wire.auth;

import io.plenum.wire.ProtocolException;
import io.plenum.wire.error.SqlState;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * The server's side of one SCRAM-SHA-256 exchange, without channel binding.
 *
 * <p>RFC 5802 and 7677, and PostgreSQL's auth-scram.c, whose refusals and words these are. Both messages of a client
 * are parsed here: it may leave the user name empty, as libpq does, and whatever it writes there is ignored, for the
 * user is who the startup packet says. A message that is malformed is a {@link ProtocolException}; one that is
 * well-formed and wrong is {@link Refused}.
 *
 * <p>Confined to the thread of its connection; no method takes longer than a few hashes.
 */
public final class ScramServer {
    /** The name that AuthenticationSASL offers it by. */
    public static final String MECHANISM = "SCRAM-SHA-256";

    /** How an exchange ended. */
    public sealed interface Result {}

    /**
     * The client has proved that it knows the password.
     *
     * @param serverFinal what proves the same of us, for AuthenticationSASLFinal
     * @param clientKey with it and the secret's ServerKey one can log in elsewhere as this user: a secret
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over once and never compared
    public record Accepted(byte[] serverFinal, byte[] clientKey) implements Result {
        @Override
        public String toString() {
            return "Accepted[hidden]";
        }
    }

    /** The client does not know the password, or there is no such user. */
    public record Refused() implements Result {}

    private enum State {
        EXPECTS_FIRST,
        EXPECTS_FINAL,
        OVER
    }

    /** Longest message that is taken of a client, in bytes. */
    private static final int MAX_MESSAGE = 4096;

    /** Longest nonce that is taken of a client, in characters. */
    private static final int MAX_NONCE = 1024;

    /** Random bytes in a nonce of ours: SCRAM_RAW_NONCE_LEN. */
    static final int NONCE_BYTES = 18;

    private final ScramSecret secret;
    private final SecureRandom random;
    private State state = State.EXPECTS_FIRST;
    private char bindingFlag;
    private String clientFirstBare = "";
    private String serverFirst = "";
    private String nonce = "";

    public ScramServer(ScramSecret secret, SecureRandom random) {
        this.secret = secret;
        this.random = random;
    }

    /**
     * Takes the client-first-message of SASLInitialResponse and returns the server-first-message for
     * AuthenticationSASLContinue.
     *
     * @throws ProtocolException when the message is malformed or wants what we do not have
     */
    public byte[] onClientFirst(byte[] message) {
        advance(State.EXPECTS_FIRST, State.EXPECTS_FINAL);
        ScramText text = ScramText.of(message, MAX_MESSAGE);
        bindingFlag = text.next();
        switch (bindingFlag) {
            // 'y' is what a client says that could bind but saw us offer nothing to bind to: the truth, so far.
            case 'n', 'y' -> {}
            case 'p' ->
                throw malformed("The client selected SCRAM-SHA-256 without channel binding,"
                        + " but the SCRAM message includes channel binding data.");
            default -> throw malformed("Unexpected channel-binding flag.");
        }
        text.expect(',');
        if (text.peek() == 'a') {
            throw new ProtocolException(
                    SqlState.FEATURE_NOT_SUPPORTED, "client uses authorization identity, but it is not supported");
        }
        text.expect(',');
        clientFirstBare = text.rest();
        if (text.peek() == 'm') {
            throw new ProtocolException(
                    SqlState.FEATURE_NOT_SUPPORTED, "client requires an unsupported SCRAM extension");
        }
        text.attribute('n');
        String clientNonce = text.nextAttribute('r');
        if (clientNonce.isEmpty() || clientNonce.length() > MAX_NONCE || !ScramText.isPrintable(clientNonce)) {
            throw malformed("Invalid nonce.");
        }
        text.skipExtensions();

        byte[] ours = new byte[NONCE_BYTES];
        random.nextBytes(ours);
        return serverFirst(clientNonce + Base64.getEncoder().encodeToString(ours));
    }

    /** The answer once the nonce is whole; also where a test puts in the nonce of a published exchange. */
    byte[] serverFirst(String wholeNonce) {
        nonce = wholeNonce;
        serverFirst =
                "r=" + nonce + ",s=" + Base64.getEncoder().encodeToString(secret.salt()) + ",i=" + secret.iterations();
        return serverFirst.getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Takes the client-final-message of SASLResponse and judges it; the exchange is over then.
     *
     * @throws ProtocolException when the message is malformed, or belongs to another exchange
     */
    public Result onClientFinal(byte[] message) {
        advance(State.EXPECTS_FINAL, State.OVER);
        ScramText text = ScramText.of(message, MAX_MESSAGE);
        String binding = text.attribute('c');
        String finalNonce = text.nextAttribute('r');
        // base64 of the header "n,," or "y,,": what the first message began with
        if (!binding.equals(bindingFlag == 'n' ? "biws" : "eSws")) {
            throw malformed("Unexpected SCRAM channel-binding attribute in client-final-message.");
        }
        String withoutProof = text.consumed();
        text.expect(',');
        while (text.peek() != 'p') { // optional extensions, which are signed but mean nothing to us
            text.anyAttribute();
            withoutProof = text.consumed();
            text.expect(',');
        }
        String proofText = text.attribute('p');
        if (!text.isAtEnd()) {
            throw malformed("Garbage found at the end of client-final-message.");
        }
        byte[] proof = ScramSecret.base64(proofText);
        if (proof == null || proof.length != ScramSecret.KEY) {
            throw malformed("Malformed proof in client-final-message.");
        }
        if (!MessageDigest.isEqual(
                nonce.getBytes(StandardCharsets.US_ASCII), finalNonce.getBytes(StandardCharsets.UTF_8))) {
            throw new ProtocolException("invalid SCRAM response: Nonce does not match.");
        }
        String authMessage = clientFirstBare + ',' + serverFirst + ',' + withoutProof;
        byte[] clientKey = secret.clientKey(proof, authMessage);
        byte[] signature = secret.serverSignature(authMessage);
        if (clientKey == null) {
            return new Refused();
        }
        String serverFinal = "v=" + Base64.getEncoder().encodeToString(signature);
        return new Accepted(serverFinal.getBytes(StandardCharsets.US_ASCII), clientKey);
    }

    private void advance(State from, State to) {
        if (state != from) {
            throw new IllegalStateException("SCRAM exchange is at " + state + ", not " + from);
        }
        state = to;
    }

    private static ProtocolException malformed(String why) {
        return ScramText.malformed(why);
    }
}
