package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.net.TlsSession;
import io.plenum.pooler.server.ServerCredential.Md5;
import io.plenum.pooler.server.ServerCredential.ScramKeys;
import io.plenum.wire.BackendType;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.auth.Md5Secret;
import io.plenum.wire.auth.ScramClient;
import io.plenum.wire.auth.ScramServer;
import io.plenum.wire.backend.Authentication;
import io.plenum.wire.backend.BackendKeyData;
import io.plenum.wire.backend.ParameterStatus;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.ProtocolVersion;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The login of one server connection, from startup packet to the first ReadyForQuery.
 *
 * <p>A proof that costs thousands of hashes is made off the loop. Manual, "Message Flow", Start-up. Confined to the event
 * loop of its connection.
 */
final class ServerLogin {
    private static final Logger LOG = LoggerFactory.getLogger(ServerLogin.class);

    private static final SecureRandom RANDOM = new SecureRandom();

    private final ServerConnection server;
    private @Nullable ScramClient scram;
    private @Nullable CancelKey key;

    /** A proof was asked for; who asks again wants more of our time, or another proof. */
    private boolean asked;

    /** Our SCRAM proof is being made, or sent. */
    private boolean proving;

    private boolean proofSent;
    private boolean serverProved;
    private boolean authenticated;
    private String step = "connect";

    ServerLogin(ServerConnection server) {
        this.server = server;
    }

    /** Where the login stands, for the log. */
    String stepName() {
        return step;
    }

    /** The connection is there and cannot be used: nothing of a credential was sent. */
    void onTlsFailure(String reason) {
        step = "tls: " + reason;
    }

    void start() {
        step = "startup";
        ServerTarget target = server.target();
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", target.user());
        parameters.put("database", target.database());
        parameters.putAll(target.parameters());
        switch (target.replication()) {
            case NONE -> {}
            case PHYSICAL -> parameters.put("replication", "true");
            case DATABASE -> parameters.put("replication", "database");
        }
        FrontendMessages.startup(server.outbox().writer(), ProtocolVersion.V3_0, parameters);
        server.outbox().flush();
    }

    void onMessage(BackendType type, ByteBuf bytes, int start, int end) {
        switch (type) {
            case AUTHENTICATION -> {
                try {
                    onAuthentication(Authentication.parse(bytes, start + 5, end));
                } catch (ProtocolException impossible) { // trying again does not help, so nobody shall wait for it
                    LOG.warn(
                            "event=server_login_impossible server={} reason=\"{}\"",
                            server.id(),
                            impossible.getMessage());
                    server.onLoginRefused(PoolerErrors.serverLoginFailed(String.valueOf(impossible.getMessage())));
                }
            }
            case PARAMETER_STATUS -> {
                ParameterStatus parameter = ParameterStatus.parse(bytes, start + 5, end);
                server.onStartValue(parameter.name(), parameter.value());
            }
            case BACKEND_KEY_DATA -> key = BackendKeyData.parse(bytes, start + 5, end);
            case ERROR_RESPONSE -> server.onLoginRefused(ErrorResponse.parse(bytes, start + 5, end));
            case READY_FOR_QUERY -> {
                if (!authenticated) {
                    throw new ProtocolException("ReadyForQuery before authentication");
                }
                server.onLoggedIn(key);
            }
            case NOTICE_RESPONSE, NEGOTIATE_PROTOCOL_VERSION -> {}
            default -> throw new ProtocolException("unexpected " + type.manualName() + " during login");
        }
    }

    private void onAuthentication(Authentication request) {
        ServerCredential credential = server.target().credential();
        switch (request) {
            case Authentication.Ok _ -> {
                if (scram != null && !serverProved) {
                    throw new ProtocolException("the server skipped its own SCRAM proof");
                }
                authenticated = true;
                step = "session";
            }
            case Authentication.CleartextPassword _ -> {
                begin("password");
                answer(password(credential, "a cleartext password").getBytes(StandardCharsets.UTF_8));
            }
            case Authentication.Md5Password(byte[] salt) -> {
                begin("md5");
                Md5Secret secret = credential instanceof Md5(String stored)
                        ? Md5Secret.parse(stored)
                        : Md5Secret.of(server.target().user(), password(credential, "md5"));
                if (secret == null) {
                    throw new ProtocolException("the stored md5 secret is malformed");
                }
                answer(secret.response(salt));
            }
            case Authentication.Sasl(var mechanisms) -> {
                begin("scram");
                TlsSession tls = server.tls();
                var binding = new ScramClient.Binding(
                        tls == null ? null : tls.serverEndPoint(), mechanisms.contains(ScramServer.MECHANISM_PLUS));
                if (!mechanisms.contains(ScramServer.MECHANISM) && !binding.isUsed()) {
                    throw new ProtocolException("the server offers only " + mechanisms);
                }
                ScramClient client = credential instanceof ScramKeys(byte[] clientKey, byte[] serverKey)
                        ? ScramClient.withKeys(clientKey, serverKey, RANDOM, binding)
                        : ScramClient.withPassword(password(credential, "SCRAM-SHA-256"), RANDOM, binding);
                scram = client;
                FrontendMessages.saslInitialResponse(
                        server.outbox().writer(), client.mechanism(), client.clientFirst());
                server.outbox().flush();
            }
            case Authentication.SaslContinue(byte[] data) -> {
                if (scram == null || proving) {
                    throw new ProtocolException("a SASL message that nobody asked for");
                }
                proving = true;
                prove(scram, data);
            }
            case Authentication.SaslFinal(byte[] data) -> {
                if (scram == null || !proofSent || serverProved) { // before that the exchange is another thread's
                    throw new ProtocolException("a SASL message that nobody asked for");
                }
                scram.onServerFinal(data);
                serverProved = true;
            }
            case Authentication.Unsupported(int code) ->
                throw new ProtocolException("the server asks for authentication method " + code);
        }
    }

    /** A server asks once, and before it says that all is well. */
    private void begin(String method) {
        if (asked || authenticated) {
            throw new ProtocolException("the server asks for a second proof");
        }
        asked = true;
        step = method;
    }

    private void prove(ScramClient client, byte[] serverFirst) {
        Thread.ofVirtual().name("plenum-scram").start(() -> {
            byte[] proof = null;
            String fault = "";
            try {
                proof = client.onServerFirst(serverFirst);
            } catch (ProtocolException refused) {
                fault = String.valueOf(refused.getMessage());
            }
            byte[] made = proof;
            String reason = fault;
            server.loop().executor().execute(() -> {
                if (server.isClosed()) {
                    return;
                }
                if (made == null) {
                    server.onLoginRefused(ErrorResponse.fatal(SqlState.INVALID_PASSWORD, "SCRAM: " + reason));
                } else {
                    FrontendMessages.saslResponse(server.outbox().writer(), made);
                    server.outbox().flush();
                    proofSent = true;
                }
            });
        });
    }

    private void answer(byte[] secret) {
        FrontendMessages.password(server.outbox().writer(), secret);
        server.outbox().flush();
    }

    private static String password(ServerCredential credential, String method) {
        String password = credential.passwordOrNull();
        if (password == null) {
            throw new ProtocolException("wrong password type: the server asks for " + method
                    + ", and what is known of the user does not serve that");
        }
        return password;
    }
}
