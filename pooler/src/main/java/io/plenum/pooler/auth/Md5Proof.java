package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.wire.auth.Md5Secret;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.frontend.PasswordMessage;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** MD5 of the stored hash and a salt. Of nobody the same is asked, and no answer is right. */
final class Md5Proof extends SecretProof {
    /** {@code md5}, 32 digits and the NUL, with room for what is malformed to be told apart from what is wrong. */
    private static final int LONGEST = 1024;

    private final Md5Secret secret;
    private final boolean nobody;
    private final byte[] salt = new byte[4];

    Md5Proof(Md5Secret secret, boolean nobody, Refusal refusal, @Nullable ServerCredential shown, SecureRandom random) {
        super(refusal, shown);
        this.secret = secret;
        this.nobody = nobody;
        random.nextBytes(salt);
    }

    @Override
    public Outcome start(ByteBuf out) {
        BackendMessages.authenticationMd5Password(out, salt);
        return Outcome.MORE;
    }

    @Override
    public Outcome onMessage(byte[] body, ByteBuf out) {
        byte[] response = PasswordMessage.parse(body);
        return secret.verify(response, salt) && !nobody ? Outcome.ACCEPTED : Outcome.REFUSED;
    }

    @Override
    public int longestMessage() {
        return LONGEST;
    }
}
