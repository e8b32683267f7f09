package io.plenum.pooler.net;

import io.netty.handler.codec.DecoderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The event by which a {@link TlsDial} says why no startup packet can be sent; the connection is closed behind it.
 *
 * @param reason for the log
 */
public record TlsFailure(String reason) {
    /** Whether a connection ended because its TLS did: the other side's doing and no bug of ours. */
    public static boolean isCauseOf(Throwable cause) {
        return cause instanceof SSLException
                || (cause instanceof DecoderException && cause.getCause() instanceof SSLException);
    }

    /** Why a handshake failed, in OpenSSL's words where operators look for those. */
    public static String reason(@Nullable Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof CertificateException || at instanceof CertPathValidatorException) {
                return "certificate verify failed: " + RootCause.message(at);
            }
        }
        return "handshake failed: " + (cause == null ? "no reason given" : RootCause.message(cause));
    }
}
