package io.plenum.routing;

import io.netty.buffer.ByteBuf;

/** Confined to its event loop: says what a text of SQL is. */
public final class StatementClassifier {
    /** The reason of the text in {@code [start, end)}, without its terminating zero. */
    public Reason classify(ByteBuf sql, int start, int end) {
        return start == end ? Reason.EMPTY : Reason.NOT_UNDERSTOOD;
    }
}
