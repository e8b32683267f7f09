package io.plenum.pooler.config;

/** Where the addresses of a database's nodes come from: {@code discovery}. */
public enum DiscoveryMode implements Choice {
    /** A list or a literal address is static, a single name is looked up by DNS. */
    AUTO("auto"),
    /** The host list as written. */
    STATIC("static"),
    /** All addresses behind the names, looked up again when their TTL ends. */
    DNS("dns"),
    /** The EndpointSlices of a Service. */
    KUBERNETES("kubernetes");

    private final String word;

    DiscoveryMode(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
