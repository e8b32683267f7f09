package io.plenum.pooler.auth;

import io.plenum.pooler.config.Secret;
import io.plenum.wire.auth.Md5Secret;
import io.plenum.wire.auth.ScramSecret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** Whether a password that came in clear text is right. */
interface PasswordCheck {
    /** How a check ended. */
    enum Verdict {
        RIGHT,
        WRONG,
        /** Whoever had to be asked did not answer. */
        UNKNOWN
    }

    /** Whether {@link #verdict} takes long, by waiting or by hashing thousands of times: then never on a loop. */
    boolean isSlow();

    Verdict verdict(byte[] password);

    /** Compares with a SCRAM secret, which hashes as often as that says. */
    static PasswordCheck of(ScramSecret secret) {
        return new PasswordCheck() {
            @Override
            public boolean isSlow() {
                return true;
            }

            @Override
            public Verdict verdict(byte[] password) {
                return secret.isOf(password) ? Verdict.RIGHT : Verdict.WRONG;
            }
        };
    }

    /** Compares with a stored secret, in the same time whether it is right or not; null fits nothing. */
    static PasswordCheck of(String user, @Nullable Secret secret) {
        return new PasswordCheck() {
            @Override
            public boolean isSlow() {
                return secret instanceof Secret.Scram;
            }

            @Override
            public Verdict verdict(byte[] password) {
                boolean right = switch (secret) {
                    case Secret.Plain(String expected) ->
                        MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), password);
                    case Secret.Md5(String hex) -> {
                        Md5Secret stored = Md5Secret.parse("md5" + hex);
                        yield stored != null && stored.isOf(user, password);
                    }
                    case Secret.Scram(String text) -> {
                        ScramSecret stored = ScramSecret.parse(text);
                        yield stored != null && stored.isOf(password);
                    }
                    case null -> false;
                };
                return right ? Verdict.RIGHT : Verdict.WRONG;
            }
        };
    }
}
