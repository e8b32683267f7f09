package io.plenum.pooler.config;

/** How TLS with a server begins: {@code server_tls_sslnegotiation}, in libpq's words. */
public enum TlsNegotiation implements Choice {
    /** The server is asked first, by an SSLRequest. */
    POSTGRES("postgres"),
    /** The handshake is the first thing that is said; PostgreSQL 17 and later. */
    DIRECT("direct");

    private final String word;

    TlsNegotiation(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
