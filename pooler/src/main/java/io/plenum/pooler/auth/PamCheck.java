package io.plenum.pooler.auth;

import io.plenum.pooler.pam.Pam;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the PAM of the machine; it may wait for as long as its modules like, so never on a loop. */
record PamCheck(String user, String remoteHost, String directory) implements PasswordCheck {
    private static final Logger LOG = LoggerFactory.getLogger(PamCheck.class);

    @Override
    public boolean isSlow() {
        return true;
    }

    @Override
    public Verdict verdict(byte[] password) {
        String fault = Pam.unavailability();
        if (fault != null) {
            LOG.error("event=no_pam reason=\"{}\"", fault);
            return Verdict.UNKNOWN;
        }
        return Pam.check(user, password, remoteHost, directory) ? Verdict.RIGHT : Verdict.WRONG;
    }
}
