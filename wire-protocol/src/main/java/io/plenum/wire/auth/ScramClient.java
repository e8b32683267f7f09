package io.plenum.wire.auth;

import com.ongres.scram.client.ScramClient.FinalBuildStage;
import com.ongres.scram.common.StringPreparation;
import com.ongres.scram.common.exception.ScramException;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.error.SqlState;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of one SCRAM-SHA-256 exchange, bound to its TLS channel where the server offers that; it also makes
 * the server prove itself.
 *
 * <p>RFC 5802, 5929 and 7677. The exchange is that of the ongres library; what a server sends is bounded before the library
 * sees it, for a hostile server's iteration count or nonce is paid for by us.
 *
 * <p>Used by one thread at a time.
 */
public final class ScramClient {
    /** Iterations that a server may ask for when we derive the keys from a password; about 30 ms of one core. */
    public static final int MAX_ITERATIONS = 100_000;

    private static final int MAX_MESSAGE = 4096;
    private static final int MAX_NONCE = 1024;

    /** PostgreSQL ignores the name and goes by the startup packet; the library refuses an empty one. */
    private static final String NO_NAME = "*";

    /**
     * What an exchange can be bound to.
     *
     * @param endPoint the tls-server-end-point of the certificate that the server has shown; null without TLS
     * @param offered whether the server offers {@link ScramServer#MECHANISM_PLUS}
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over once and never compared
    public record Binding(byte @Nullable [] endPoint, boolean offered) {
        public static final Binding NONE = new Binding(null, false);

        /** Whether the exchange is bound. */
        public boolean isUsed() {
            return endPoint != null && offered;
        }
    }

    private final com.ongres.scram.client.ScramClient exchange;
    private final boolean derivesKeys;
    private final boolean bound;

    private ScramClient(
            boolean derivesKeys,
            SecureRandom random,
            Binding binding,
            Function<com.ongres.scram.client.ScramClient.PasswordBuildStage, FinalBuildStage> credential) {
        this.derivesKeys = derivesKeys;
        this.bound = binding.isUsed();
        var builder = com.ongres.scram.client.ScramClient.builder()
                .advertisedMechanisms(
                        bound
                                ? List.of(ScramServer.MECHANISM_PLUS, ScramServer.MECHANISM)
                                : List.of(ScramServer.MECHANISM))
                .username(NO_NAME);
        FinalBuildStage stage = credential
                .apply(builder)
                .stringPreparation(StringPreparation.POSTGRESQL_PREPARATION)
                .nonceSupplier(() -> nonce(random));
        // Told of the channel also where the server offers no binding: our message says that we would have bound, and a
        // server whose offer was cut on its way notices.
        byte[] endPoint = binding.endPoint();
        exchange = (endPoint == null ? stage : stage.channelBinding(ScramServer.BINDING_TYPE, endPoint)).build();
    }

    /** Logs in with a password that is not empty. */
    public static ScramClient withPassword(String password, SecureRandom random) {
        return withPassword(password, random, Binding.NONE);
    }

    /** The same over TLS. */
    public static ScramClient withPassword(String password, SecureRandom random, Binding binding) {
        return new ScramClient(true, random, binding, builder -> builder.password(password.toCharArray()));
    }

    /**
     * Logs in with the keys that a client's own login has shown: {@link ScramServer.Accepted#clientKey()} and
     * {@link ScramSecret#serverKey()}. They fit a server that stores the same secret, salt and iterations included.
     */
    public static ScramClient withKeys(byte[] clientKey, byte[] serverKey, SecureRandom random) {
        return withKeys(clientKey, serverKey, random, Binding.NONE);
    }

    /** The same over TLS. */
    public static ScramClient withKeys(byte[] clientKey, byte[] serverKey, SecureRandom random, Binding binding) {
        return new ScramClient(
                false, random, binding, builder -> builder.clientAndServerKey(clientKey.clone(), serverKey.clone()));
    }

    /** What SASLInitialResponse names. */
    public String mechanism() {
        return bound ? ScramServer.MECHANISM_PLUS : ScramServer.MECHANISM;
    }

    private static String nonce(SecureRandom random) {
        byte[] bytes = new byte[ScramServer.NONCE_BYTES];
        random.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** The client-first-message, for SASLInitialResponse. */
    public byte[] clientFirst() {
        return exchange.clientFirstMessage().toString().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Takes the server-first-message and returns the client-final-message, for SASLResponse. With a password this
     * derives the keys, which takes as long as the server's iterations ask for: not for an event loop. With keys it is
     * quick.
     *
     * @throws ProtocolException when the message is malformed or exceeds a bound; nothing has been derived then
     */
    public byte[] onServerFirst(byte[] message) {
        checkBounds(message);
        try {
            exchange.serverFirstMessage(new String(message, StandardCharsets.UTF_8));
            return exchange.clientFinalMessage().toString().getBytes(StandardCharsets.UTF_8);
        } catch (ScramException | IllegalArgumentException e) {
            throw new ProtocolException("malformed SCRAM message from server: " + e.getMessage());
        }
    }

    private void checkBounds(byte[] message) {
        ScramText text = ScramText.of(message, MAX_MESSAGE);
        String nonce = text.attribute('r');
        if (nonce.length() > MAX_NONCE || !ScramText.isPrintable(nonce)) {
            throw ScramText.malformed("Invalid nonce.");
        }
        byte[] salt = ScramSecret.base64(text.nextAttribute('s'));
        if (salt == null || salt.length == 0) {
            throw ScramText.malformed("Invalid salt.");
        }
        int iterations = ScramSecret.positive(text.nextAttribute('i'));
        if (iterations == 0) {
            throw ScramText.malformed("Invalid iteration count.");
        }
        if (derivesKeys && iterations > MAX_ITERATIONS) {
            throw new ProtocolException(
                    SqlState.PROGRAM_LIMIT_EXCEEDED,
                    "server asks for %d SCRAM iterations; %d are allowed".formatted(iterations, MAX_ITERATIONS));
        }
        text.skipExtensions();
    }

    /**
     * Takes the server-final-message, by which the server proves that it knows our secret.
     *
     * @throws ProtocolException when it does not: whoever is there is not our server, whatever it says next
     */
    public void onServerFinal(byte[] message) {
        if (message.length > MAX_MESSAGE) {
            throw ScramText.malformed("The message has " + message.length + " bytes.");
        }
        try {
            exchange.serverFinalMessage(new String(message, StandardCharsets.UTF_8));
        } catch (ScramException | IllegalArgumentException e) {
            throw new ProtocolException(
                    SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                    "server did not prove that it knows the SCRAM secret: " + e.getMessage());
        }
    }
}
