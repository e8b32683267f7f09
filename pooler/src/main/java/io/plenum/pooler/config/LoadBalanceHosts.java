package io.plenum.pooler.config;

/** Which entry of a host list a new connection takes: {@code load_balance_hosts}. */
public enum LoadBalanceHosts implements Choice {
    /** The same entry until it fails. */
    DISABLE("disable"),
    /** The next entry. */
    ROUND_ROBIN("round-robin");

    private final String word;

    LoadBalanceHosts(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
