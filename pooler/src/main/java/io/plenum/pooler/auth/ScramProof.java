package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.auth.ScramSecret;
import io.plenum.wire.auth.ScramServer;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.frontend.SaslInitialResponse;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** SCRAM-SHA-256 with a user's secret, or with a mock one, which goes the whole way and lets nobody in. */
final class ScramProof extends SecretProof {
    /** What a SCRAM message may have, and the mechanism's name before the first. */
    private static final int LONGEST = 4096 + 64;

    private final ScramSecret secret;
    private final ScramServer exchange;
    private final boolean passesKeys;
    private boolean begun;

    /**
     * @param shown what is known of the user besides, for servers
     * @param passesKeys whether a server may have the same secret, so that the client's keys open it
     * @param endPoint what the exchange can be bound to; null without TLS
     */
    ScramProof(
            ScramSecret secret,
            Refusal refusal,
            @Nullable ServerCredential shown,
            boolean passesKeys,
            byte @Nullable [] endPoint,
            SecureRandom random) {
        super(refusal, shown);
        this.secret = secret;
        this.exchange = new ScramServer(secret, random, endPoint);
        this.passesKeys = passesKeys;
    }

    @Override
    public Outcome start(ByteBuf out) {
        BackendMessages.authenticationSasl(out, exchange.mechanisms());
        return Outcome.MORE;
    }

    @Override
    public Outcome onMessage(byte[] body, ByteBuf out) {
        if (!begun) {
            begun = true;
            SaslInitialResponse initial = SaslInitialResponse.parse(body);
            byte[] data = initial.data();
            if (data == null) {
                throw new ProtocolException("malformed SASLInitialResponse");
            }
            BackendMessages.authenticationSaslContinue(out, exchange.onClientFirst(initial.mechanism(), data));
            return Outcome.MORE;
        }
        return switch (exchange.onClientFinal(body)) {
            case ScramServer.Accepted(byte[] serverFinal, byte[] clientKey) -> {
                if (passesKeys) {
                    show(new ServerCredential.ScramKeys(clientKey, secret.serverKey()));
                }
                BackendMessages.authenticationSaslFinal(out, serverFinal);
                yield Outcome.ACCEPTED;
            }
            case ScramServer.Refused _ -> Outcome.REFUSED;
        };
    }

    @Override
    public int longestMessage() {
        return LONGEST;
    }
}
