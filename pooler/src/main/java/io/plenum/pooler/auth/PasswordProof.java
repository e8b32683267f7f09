package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.auth.PasswordCheck.Verdict;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.wire.Limits;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.frontend.PasswordMessage;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The password itself, judged by whoever can: a stored secret, an LDAP server, PAM. A right one opens servers too. */
final class PasswordProof implements Proof {
    private final PasswordCheck check;
    private final SlowWork work;
    private final SlowWork.Urgency urgency;
    private final Executor loop;
    private Refusal refusal;
    private byte[] password = new byte[0];

    PasswordProof(PasswordCheck check, Refusal refusal, SlowWork work, SlowWork.Urgency urgency, Executor loop) {
        this.check = check;
        this.refusal = refusal;
        this.work = work;
        this.urgency = urgency;
        this.loop = loop;
    }

    @Override
    public Outcome start(ByteBuf out) {
        BackendMessages.authenticationCleartextPassword(out);
        return Outcome.MORE;
    }

    @Override
    public Outcome onMessage(byte[] body, ByteBuf out) {
        password = PasswordMessage.parse(body);
        return check.isSlow() ? Outcome.LATER : outcome(check.verdict(password));
    }

    @Override
    public void whenDone(Consumer<Outcome> done) {
        byte[] asked = password;
        boolean taken = work.run(urgency, () -> {
            Verdict verdict = Verdict.UNKNOWN;
            try {
                verdict = check.verdict(asked);
            } finally {
                Verdict found = verdict;
                loop.execute(() -> done.accept(outcome(found)));
            }
        });
        if (!taken) {
            refusal = Refusal.unavailable("too many passwords wait to be checked");
            loop.execute(() -> done.accept(Outcome.REFUSED));
        }
    }

    private Outcome outcome(Verdict verdict) {
        if (verdict == Verdict.UNKNOWN) {
            refusal =
                    new Refusal(refusal.reason(), "whoever was to judge the password did not", refusal.error(), false);
        }
        return verdict == Verdict.RIGHT ? Outcome.ACCEPTED : Outcome.REFUSED;
    }

    @Override
    public int longestMessage() {
        return Limits.PASSWORD;
    }

    @Override
    public Refusal refusal() {
        return refusal;
    }

    @Override
    public @Nullable ServerCredential credential() {
        return new ServerCredential.Password(new String(password, StandardCharsets.UTF_8));
    }
}
