package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.wire.ProtocolException;
import org.jspecify.annotations.Nullable;

/**
 * A login that is decided without asking the client for anything.
 *
 * @param refused null when it is let in
 * @param forAll as {@link Proof#isForAll()}
 */
record NoProof(@Nullable Refusal refused, @Nullable ServerCredential shown, boolean forAll) implements Proof {
    static NoProof accepted(@Nullable ServerCredential shown) {
        return new NoProof(null, shown, false);
    }

    /** By the settings alone, which say the same of everybody. */
    static NoProof acceptedForAll() {
        return new NoProof(null, null, true);
    }

    static NoProof refused(Refusal refusal) {
        return new NoProof(refusal, null, false);
    }

    @Override
    public Outcome start(ByteBuf out) {
        return refused == null ? Outcome.ACCEPTED : Outcome.REFUSED;
    }

    @Override
    public Outcome onMessage(byte[] body, ByteBuf out) {
        throw new ProtocolException("a password that nobody asked for");
    }

    @Override
    public int longestMessage() {
        return 0;
    }

    @Override
    public Refusal refusal() {
        if (refused == null) {
            throw new IllegalStateException("the login was not refused");
        }
        return refused;
    }

    @Override
    public @Nullable ServerCredential credential() {
        return shown;
    }

    @Override
    public boolean isForAll() {
        return forAll;
    }
}
