package io.plenum.pooler.net;

import io.plenum.pooler.config.CipherSuites;
import io.plenum.wire.AsciiCase;
import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * What a connection's TLS came to, once the handshake is over. Immutable.
 *
 * @param protocol as {@code TLSv1.3}
 * @param cipher by OpenSSL's name
 * @param group in which the keys were agreed, by OpenSSL's name; empty if in none
 * @param peer the certificate that the other side has shown; null if none was asked for or shown. A client's has been
 *     verified, a server's only where the mode says so
 * @param serverEndPoint what SCRAM binds to: tls-server-end-point of the certificate of the side that is the server, RFC
 *     5929; null where its signature has no digest of its own
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TlsSession(
        String protocol,
        String cipher,
        String group,
        @Nullable X509Certificate peer,
        byte @Nullable [] serverEndPoint) {

    /** Of a connection in which we are the server and have shown this certificate. */
    static TlsSession ofClient(SSLEngine engine, String group, X509Certificate own) {
        return new TlsSession(protocol(engine), cipher(engine), group, peer(engine), endPoint(own));
    }

    /** Of a connection in which we are the client. */
    static TlsSession ofServer(SSLEngine engine, String group) {
        X509Certificate peer = peer(engine);
        return new TlsSession(protocol(engine), cipher(engine), group, peer, peer == null ? null : endPoint(peer));
    }

    private static String protocol(SSLEngine engine) {
        return engine.getSession().getProtocol();
    }

    private static String cipher(SSLEngine engine) {
        return CipherSuites.openSslName(engine.getSession().getCipherSuite());
    }

    private static @Nullable X509Certificate peer(SSLEngine engine) {
        try {
            Certificate[] chain = engine.getSession().getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate certificate ? certificate : null;
        } catch (SSLPeerUnverifiedException none) {
            return null;
        }
    }

    /** For the column {@code tls} of SHOW, in PgBouncer's form. */
    public String describe() {
        return protocol + "/" + cipher + (group.isEmpty() ? "" : "/ECDH=" + group);
    }

    /** RFC 5929, section 4.1: the certificate hashed by its own signature's function, MD5 and SHA-1 replaced by SHA-256. */
    static byte @Nullable [] endPoint(X509Certificate certificate) {
        String digest = digestOf(certificate);
        if (digest == null) {
            return null;
        }
        try {
            return MessageDigest.getInstance(digest).digest(certificate.getEncoded());
        } catch (CertificateEncodingException impossible) {
            throw new IllegalStateException("a certificate that was read cannot be written", impossible);
        } catch (GeneralSecurityException unknownDigest) {
            return null;
        }
    }

    private static @Nullable String digestOf(X509Certificate certificate) {
        String algorithm = AsciiCase.upper(certificate.getSigAlgName());
        if (algorithm.contains("PSS")) {
            return digestOfPss(certificate);
        }
        int with = algorithm.indexOf("WITH");
        if (with < 0) {
            return null; // Ed25519 and the like
        }
        String digest = algorithm.substring(0, with).replace("-", "");
        return switch (digest) {
            case "MD5", "SHA1", "SHA" -> "SHA-256";
            case "SHA224", "SHA256", "SHA384", "SHA512" -> "SHA-" + digest.substring(3);
            default -> null;
        };
    }

    private static @Nullable String digestOfPss(X509Certificate certificate) {
        try {
            var parameters = AlgorithmParameters.getInstance("RSASSA-PSS");
            parameters.init(certificate.getSigAlgParams());
            String digest = AsciiCase.upper(
                    parameters.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm());
            return digest.equals("SHA-1") || digest.equals("SHA1") ? "SHA-256" : digest;
        } catch (GeneralSecurityException | IOException unreadable) {
            return null;
        }
    }
}
