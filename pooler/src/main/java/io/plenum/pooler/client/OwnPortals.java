package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.Limits;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.FrontendMessages;

/**
 * Whether a batch keeps to itself: each portal that it uses is the unnamed one, bound in it and run to its end. Else it may leave
 * a portal to the batches behind it, or have one from those before it, and these live on one server. Confined to its event loop.
 */
final class OwnPortals {
    private boolean own;
    private boolean bound;
    private boolean waiting;

    void begin() {
        own = true;
        bound = false;
        waiting = false;
    }

    void onBind(BindView bind) {
        own &= bind.isPortalUnnamed();
        bound = true;
        waiting = true;
    }

    /** The Execute at {@code at}. */
    void onExecute(ByteBuf bytes, int at, int end) {
        boolean all = end - at == Limits.HEADER + 1 + Integer.BYTES
                && bytes.getByte(at + Limits.HEADER) == 0
                && bytes.getInt(at + Limits.HEADER + 1) == FrontendMessages.ALL_ROWS;
        own &= bound && all;
        waiting = false;
    }

    /** A Describe or Close that is of a portal. */
    void onUse() {
        own &= bound;
    }

    /** Whether it is so of the batch, which is over. */
    boolean areOwn() {
        return own && !waiting;
    }
}
