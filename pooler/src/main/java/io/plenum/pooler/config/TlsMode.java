package io.plenum.pooler.config;

/** How much TLS is asked for: {@code client_tls_sslmode} and {@code server_tls_sslmode}. */
public enum TlsMode implements Choice {
    DISABLE("disable"),
    ALLOW("allow"),
    PREFER("prefer"),
    REQUIRE("require"),
    VERIFY_CA("verify-ca"),
    VERIFY_FULL("verify-full");

    private final String word;

    TlsMode(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }

    /** Whether a connection without TLS is refused. */
    public boolean isDemanded() {
        return compareTo(REQUIRE) >= 0;
    }

    /** Whether the other side must have a certificate of a known authority. */
    public boolean verifies() {
        return compareTo(VERIFY_CA) >= 0;
    }
}
