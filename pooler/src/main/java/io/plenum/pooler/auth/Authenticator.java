package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.auth.Proof.Outcome;
import io.plenum.pooler.auth.Proof.PassedKeys;
import io.plenum.pooler.config.AuthType;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.config.Settings;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.auth.Md5Secret;
import io.plenum.wire.auth.ScramSecret;
import io.plenum.wire.auth.ScramServer;
import io.plenum.wire.backend.BackendMessages;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Chooses how a client proves who it is, by {@code auth_type} and by what the user list holds. Any thread.
 *
 * <p>Whoever is unknown is asked as everybody else is, and refused at the end: names cannot be found out.
 */
public final class Authenticator {
    private static final int SALT_BYTES = 16;

    private final SecureRandom random = new SecureRandom();
    private final byte[] mockSecret = new byte[32];
    private final Map<String, Derived> derived = new ConcurrentHashMap<>();

    /** A SCRAM secret that was made from a password; kept, for thousands of hashes went into it. */
    private record Derived(String password, int iterations, ScramSecret secret) {
        @Override
        public String toString() {
            return "Derived[***]";
        }
    }

    public Authenticator() {
        random.nextBytes(mockSecret);
    }

    /**
     * Prepares the proof that the user must give and hands it over by {@code executor}: at once, or later when something
     * must be derived first.
     */
    public void prepare(PoolerConfig config, String user, Executor executor, Consumer<Proof> ready) {
        Secret secret = config.userList().secret(user);
        AuthType type = config.get(Settings.AUTH_TYPE);
        switch (type) {
            case ANY -> ready.accept(new Trust(true));
            case TRUST ->
                ready.accept(new Trust(
                        config.userList().knows(user) || config.userList().size() == 0));
            case PLAIN -> ready.accept(new Cleartext(user, secret));
            case MD5 -> {
                if (secret instanceof Secret.Scram(String text)) {
                    ready.accept(scram(ScramSecret.parse(text)));
                } else {
                    ready.accept(new Md5(user, secret, random));
                }
            }
            default -> prepareScram(config, user, secret, executor, ready);
        }
    }

    private void prepareScram(
            PoolerConfig config, String user, @Nullable Secret secret, Executor executor, Consumer<Proof> ready) {
        int iterations = config.get(Settings.SCRAM_ITERATIONS);
        switch (secret) {
            case Secret.Scram(String text) -> ready.accept(scram(ScramSecret.parse(text)));
            case Secret.Plain(String password) -> {
                Derived known = derived.get(user);
                if (known != null && known.password().equals(password) && known.iterations() == iterations) {
                    ready.accept(scram(known.secret()));
                } else {
                    derive(user, password, iterations, executor, ready);
                }
            }
            case null, default -> ready.accept(scram(ScramSecret.mock(mockSecret, user, iterations)));
        }
    }

    private void derive(String user, String password, int iterations, Executor executor, Consumer<Proof> ready) {
        Thread.ofVirtual().name("plenum-scram").start(() -> {
            byte[] salt = new byte[SALT_BYTES];
            random.nextBytes(salt);
            ScramSecret made = ScramSecret.derive(password, salt, iterations);
            derived.put(user, new Derived(password, iterations, made));
            executor.execute(() -> ready.accept(scram(made)));
        });
    }

    private Proof scram(@Nullable ScramSecret secret) {
        return secret == null ? new Trust(false) : new Scram(secret, random);
    }

    /** No proof is asked for; {@code known} says whether the name alone suffices. */
    private record Trust(boolean known) implements Proof {
        @Override
        public Outcome start(ByteBuf out) {
            return known ? Outcome.ACCEPTED : Outcome.REFUSED;
        }

        @Override
        public Outcome onMessage(byte[] body, ByteBuf out) {
            throw new ProtocolException("a password that nobody asked for");
        }
    }

    /** The password itself, compared with whatever form of it we hold. */
    private record Cleartext(String user, @Nullable Secret secret) implements Proof {
        @Override
        public Outcome start(ByteBuf out) {
            BackendMessages.authenticationCleartextPassword(out);
            return Outcome.MORE;
        }

        @Override
        public Outcome onMessage(byte[] body, ByteBuf out) {
            byte[] password = withoutNul(body);
            boolean right = switch (secret) {
                case Secret.Plain(String expected) ->
                    MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), password);
                case Secret.Md5(String hex) -> {
                    Md5Secret stored = Md5Secret.parse("md5" + hex);
                    yield stored != null && stored.isOf(user, password);
                }
                case Secret.Scram(String text) -> {
                    ScramSecret stored = ScramSecret.parse(text);
                    yield stored != null && stored.isOf(new String(password, StandardCharsets.UTF_8));
                }
                case null -> false;
            };
            return right ? Outcome.ACCEPTED : Outcome.REFUSED;
        }
    }

    private static final class Md5 implements Proof {
        private final @Nullable Md5Secret secret;
        private final byte[] salt = new byte[4];

        Md5(String user, @Nullable Secret stored, SecureRandom random) {
            random.nextBytes(salt);
            secret = switch (stored) {
                case Secret.Plain(String password) -> Md5Secret.of(user, password);
                case Secret.Md5(String hex) -> Md5Secret.parse("md5" + hex);
                case null, default -> null;
            };
        }

        @Override
        public Outcome start(ByteBuf out) {
            BackendMessages.authenticationMd5Password(out, salt);
            return Outcome.MORE;
        }

        @Override
        public Outcome onMessage(byte[] body, ByteBuf out) {
            return secret != null && secret.verify(withoutNul(body), salt) ? Outcome.ACCEPTED : Outcome.REFUSED;
        }
    }

    private static final class Scram implements Proof {
        private final ScramSecret secret;
        private final ScramServer exchange;
        private boolean begun;
        private @Nullable PassedKeys keys;

        Scram(ScramSecret secret, SecureRandom random) {
            this.secret = secret;
            this.exchange = new ScramServer(secret, random);
        }

        @Override
        public Outcome start(ByteBuf out) {
            BackendMessages.authenticationSasl(out, ScramServer.MECHANISM);
            return Outcome.MORE;
        }

        @Override
        public Outcome onMessage(byte[] body, ByteBuf out) {
            if (!begun) {
                begun = true;
                BackendMessages.authenticationSaslContinue(out, exchange.onClientFirst(initialResponse(body)));
                return Outcome.MORE;
            }
            return switch (exchange.onClientFinal(body)) {
                case ScramServer.Accepted(byte[] serverFinal, byte[] clientKey) -> {
                    keys = new PassedKeys(clientKey, secret.serverKey());
                    BackendMessages.authenticationSaslFinal(out, serverFinal);
                    yield Outcome.ACCEPTED;
                }
                case ScramServer.Refused _ -> Outcome.REFUSED;
            };
        }

        /** Manual, "Message Formats": SASLInitialResponse is the mechanism, a length, and that many bytes. */
        private static byte[] initialResponse(byte[] body) {
            ByteBuf bytes = Unpooled.wrappedBuffer(body);
            int nameEnd = bytes.indexOf(0, body.length, (byte) 0);
            if (nameEnd < 0 || body.length - nameEnd < 5) {
                throw new ProtocolException("malformed SASLInitialResponse");
            }
            String mechanism = bytes.toString(0, nameEnd, StandardCharsets.US_ASCII);
            if (!mechanism.equals(ScramServer.MECHANISM)) {
                throw new ProtocolException("client selected an invalid SASL authentication mechanism");
            }
            int length = bytes.getInt(nameEnd + 1);
            if (length != body.length - nameEnd - 5) {
                throw new ProtocolException("malformed SASLInitialResponse");
            }
            byte[] data = new byte[length];
            bytes.getBytes(nameEnd + 5, data);
            return data;
        }

        @Override
        public @Nullable PassedKeys keys() {
            return keys;
        }
    }

    private static byte[] withoutNul(byte[] body) {
        if (body.length == 0 || body[body.length - 1] != 0) {
            throw new ProtocolException("malformed PasswordMessage");
        }
        return Arrays.copyOf(body, body.length - 1);
    }
}
