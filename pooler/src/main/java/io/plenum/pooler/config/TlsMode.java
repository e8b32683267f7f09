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
}
