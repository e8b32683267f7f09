package io.plenum.wire.auth;

import io.plenum.wire.ProtocolException;
import io.plenum.wire.error.SqlState;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of one SCRAM-SHA-256 exchange, bound to its TLS channel where there is one to bind to.
 *
 * <p>RFC 5802, 5929 and 7677, and PostgreSQL's auth-scram.c, whose refusals and words these are. Both messages of a client
 * are parsed here: it may leave the user name empty, as libpq does, and whatever it writes there is ignored, for the
 * user is who the startup packet says. A message that is malformed is a {@link ProtocolException}; one that is
 * well-formed and wrong is {@link Refused}.
 *
 * <p>Confined to the thread of its connection; no method takes longer than a few hashes.
 */
public final class ScramServer {
    /** The name that AuthenticationSASL offers it by. */
    public static final String MECHANISM = "SCRAM-SHA-256";

    /** The same, bound to the TLS channel: nobody in the middle can pass it on. */
    public static final String MECHANISM_PLUS = "SCRAM-SHA-256-PLUS";

    /** The only binding that PostgreSQL and its clients know: to the certificate that the server has shown. */
    static final String BINDING_TYPE = "tls-server-end-point";

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
    private final byte @Nullable [] endPoint;
    private State state = State.EXPECTS_FIRST;
    private String gs2Header = "";
    private boolean bound;
    private String clientFirstBare = "";
    private String serverFirst = "";
    private String nonce = "";

    /** An exchange without a channel to bind to. */
    public ScramServer(ScramSecret secret, SecureRandom random) {
        this(secret, random, null);
    }

    /** {@code endPoint} is the tls-server-end-point of our certificate, null where nothing can be bound to. */
    public ScramServer(ScramSecret secret, SecureRandom random, byte @Nullable [] endPoint) {
        this.secret = secret;
        this.random = random;
        this.endPoint = endPoint;
    }

    /** What AuthenticationSASL is to offer, the best first. */
    public String[] mechanisms() {
        return endPoint == null ? new String[] {MECHANISM} : new String[] {MECHANISM_PLUS, MECHANISM};
    }

    /** The first message of a client that chose {@link #MECHANISM}. */
    public byte[] onClientFirst(byte[] message) {
        return onClientFirst(MECHANISM, message);
    }

    /**
     * Takes mechanism and client-first-message of SASLInitialResponse and returns the server-first-message for
     * AuthenticationSASLContinue.
     *
     * @throws ProtocolException when the message is malformed or wants what we do not have
     */
    public byte[] onClientFirst(String mechanism, byte[] message) {
        advance(State.EXPECTS_FIRST, State.EXPECTS_FINAL);
        bound = endPoint != null && mechanism.equals(MECHANISM_PLUS);
        if (!bound && !mechanism.equals(MECHANISM)) {
            throw new ProtocolException("client selected an invalid SASL authentication mechanism");
        }
        ScramText text = ScramText.of(message, MAX_MESSAGE);
        readBinding(text);
        text.expect(',');
        if (text.peek() == 'a') {
            throw new ProtocolException(
                    SqlState.FEATURE_NOT_SUPPORTED, "client uses authorization identity, but it is not supported");
        }
        text.expect(',');
        gs2Header = text.consumed();
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

    /** What the client says of channel binding must fit what it chose and what we offered. */
    private void readBinding(ScramText text) {
        switch (text.peek()) {
            case 'n' -> {
                requireUnbound();
                text.next();
            }
            case 'y' -> {
                requireUnbound();
                if (endPoint != null) {
                    // Somebody between us took -PLUS out of our offer, to read what was meant for us alone.
                    throw new ProtocolException(
                            SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                            "SCRAM channel binding negotiation error: the client supports SCRAM channel binding but"
                                    + " thinks the server does not");
                }
                text.next();
            }
            case 'p' -> {
                if (!bound) {
                    throw malformed("The client selected SCRAM-SHA-256 without channel binding,"
                            + " but the SCRAM message includes channel binding data.");
                }
                String type = text.attribute('p');
                if (!type.equals(BINDING_TYPE)) {
                    throw new ProtocolException("unsupported SCRAM channel-binding type");
                }
            }
            default -> throw malformed("Unexpected channel-binding flag.");
        }
    }

    private void requireUnbound() {
        if (bound) {
            throw malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel"
                    + " binding data.");
        }
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
        if (!MessageDigest.isEqual(
                binding.getBytes(StandardCharsets.UTF_8), expectedBinding().getBytes(StandardCharsets.US_ASCII))) {
            throw bound
                    ? new ProtocolException(
                            SqlState.INVALID_AUTHORIZATION_SPECIFICATION, "SCRAM channel binding check failed")
                    : malformed("Unexpected SCRAM channel-binding attribute in client-final-message.");
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

    /** What the first message began with, and behind it, of a bound exchange, the certificate that the client must see. */
    private String expectedBinding() {
        byte[] header = gs2Header.getBytes(StandardCharsets.US_ASCII);
        byte[] data = bound && endPoint != null ? endPoint : new byte[0];
        byte[] all = Arrays.copyOf(header, header.length + data.length);
        System.arraycopy(data, 0, all, header.length, data.length);
        return Base64.getEncoder().encodeToString(all);
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
