package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** One client's attempt to prove who it is. Confined to the client's event loop. */
public interface Proof {
    /** Where the attempt stands. */
    enum Outcome {
        /** The client must send another message. */
        MORE,
        ACCEPTED,
        REFUSED
    }

    /** Appends the first request to the client, if any. */
    Outcome start(ByteBuf out);

    /** Reads the body of a PasswordMessage or SASL message, and appends the next request. */
    Outcome onMessage(byte[] body, ByteBuf out);

    /** After ACCEPTED by SCRAM: what lets us log in to PostgreSQL with the same verifier. */
    default @Nullable PassedKeys keys() {
        return null;
    }

    /** ClientKey and ServerKey of a role. Never printed. */
    record PassedKeys(byte[] clientKey, byte[] serverKey) {
        @Override
        public String toString() {
            return "PassedKeys[***]";
        }
    }
}
