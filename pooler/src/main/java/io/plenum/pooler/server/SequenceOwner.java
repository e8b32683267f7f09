package io.plenum.pooler.server;

import org.jspecify.annotations.Nullable;

/**
 * Whose draws from sequences a server's session remembers: it would tell the next client by currval or lastval, or the same one in
 * another {@code era} of its own. Confined to the server's event loop.
 */
public final class SequenceOwner {
    private static final Object SEVERAL = new Object();

    private @Nullable Object client;
    private int era;

    /** A client runs what may draw from sequences. */
    public void note(Object client, int era) {
        if (isOfOthers(client, era)) {
            this.client = SEVERAL;
        } else {
            this.client = client;
            this.era = era;
        }
    }

    /** Whether it has what another client drew, or the same one in an earlier era. */
    public boolean isOfOthers(Object client, int era) {
        return this.client != null && (this.client != client || this.era != era);
    }

    /** What was to make the session forget did not run. */
    public void doubt() {
        client = SEVERAL;
    }

    /** DISCARD SEQUENCES is on its way, or has run. */
    public void forget() {
        client = null;
    }
}
