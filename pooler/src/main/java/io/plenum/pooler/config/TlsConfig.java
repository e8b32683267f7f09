package io.plenum.pooler.config;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the settings say of TLS with one side, and what stands in the files that they name. Immutable.
 *
 * @param protocols the versions allowed, by Java's names
 * @param ciphers as written, in OpenSSL's language
 * @param ciphers13 suites of TLS 1.3 as written; empty leaves the choice to the engine
 * @param curves of the key exchange, by Java's names; empty leaves the choice to the engine
 * @param negotiation how the handshake with a server begins
 * @param key that proves us; null if there is none, and then {@code chain} is empty
 * @param authorities whom the other side's certificate must come from; empty if no file names any
 * @param fingerprint equal when all of this is, the content of the files included
 */
public record TlsConfig(
        TlsMode mode,
        List<String> protocols,
        String ciphers,
        String ciphers13,
        List<String> curves,
        TlsNegotiation negotiation,
        @Nullable PrivateKey key,
        List<X509Certificate> chain,
        List<X509Certificate> authorities,
        String fingerprint) {
    /** No TLS; no file is read. */
    public static final TlsConfig OFF = new TlsConfig(
            TlsMode.DISABLE, List.of(), "", "", List.of(), TlsNegotiation.POSTGRES, null, List.of(), List.of(), "off");

    public boolean isOn() {
        return mode != TlsMode.DISABLE;
    }

    public boolean isSame(TlsConfig other) {
        return fingerprint.equals(other.fingerprint);
    }

    /** Shows no key. */
    @Override
    public String toString() {
        return "TlsConfig[" + mode + ", " + protocols + "]";
    }
}
