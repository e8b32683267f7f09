package io.plenum.pooler.auth;

import io.plenum.pooler.server.ServerCredential;
import org.jspecify.annotations.Nullable;

/** A proof that a stored secret judges: why it fails if it does, and what it lets us show servers, are known before. */
abstract class SecretProof implements Proof {
    private final Refusal refusal;
    private @Nullable ServerCredential shown;

    SecretProof(Refusal refusal, @Nullable ServerCredential shown) {
        this.refusal = refusal;
        this.shown = shown;
    }

    /** The client has given us something better. */
    final void show(ServerCredential better) {
        shown = better;
    }

    @Override
    public final Refusal refusal() {
        return refusal;
    }

    @Override
    public final @Nullable ServerCredential credential() {
        return shown;
    }
}
