package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.plenum.pooler.link.Refusal;
import io.plenum.pooler.pool.Pool;
import io.plenum.wire.Limits;
import org.jspecify.annotations.Nullable;

/**
 * What a client has sent and has heard nothing of, one batch or a pipeline of them: kept, so that another server may run it
 * when its own dies or refuses the first; and what is known from the refusals so far. Owns the bytes. Confined to the client's
 * event loop.
 */
final class KeptRequest {
    private @Nullable ByteBuf bytes;

    /** Why a standby has refused the batch, which the primary is to run. */
    private @Nullable Refusal refusal;

    /** The standby that has, where another may do. */
    private @Nullable Pool refusedBy;

    /** Keeps a copy of what stands from {@code start} to {@code end}, unless that is nothing or too much. */
    void keep(ByteBuf from, int start, int end, ByteBufAllocator allocator) {
        drop();
        int length = end - start;
        if (length > 0 && length <= Limits.LOOKED_AT) {
            bytes = allocator.directBuffer(length).writeBytes(from, start, length);
        }
    }

    /** Keeps what stands from {@code start} to {@code end} too; with no place for it, nothing any more. */
    void keepBehind(ByteBuf from, int start, int end) {
        ByteBuf kept = bytes;
        if (kept == null) {
            return;
        }
        int length = end - start;
        if (length > 0 && kept.readableBytes() + length <= Limits.LOOKED_AT) {
            kept.discardSomeReadBytes().writeBytes(from, start, length);
        } else {
            drop();
        }
    }

    /** The first batch is answered. */
    void dropFirst(BatchReader batches) {
        ByteBuf kept = bytes;
        int end = kept == null ? -1 : batches.endOfBatch(kept, kept.readerIndex());
        if (kept != null && end >= 0) {
            kept.readerIndex(end);
        } else {
            drop();
        }
    }

    void drop() {
        if (bytes != null) {
            bytes.release();
            bytes = null;
        }
    }

    boolean isKept() {
        return bytes != null;
    }

    /** Gives away what is kept, with its ownership; null for nothing. */
    @Nullable
    ByteBuf take() {
        ByteBuf taken = bytes;
        bytes = null;
        return taken;
    }

    /** What conflicts with the replay of one standby need not with that of another; but that is tried once. */
    void onRefused(Refusal why, Pool by) {
        boolean elsewhere = why == Refusal.CONFLICT && refusedBy == null;
        refusal = elsewhere ? null : why;
        refusedBy = elsewhere ? by : null;
    }

    /** Whether the batch that now begins is one that no standby is to be asked for again; says so once. */
    boolean isForPrimary() {
        boolean refused = refusal != null;
        refusal = null;
        return refused;
    }

    /** The standby that is not to be asked again; null for none. */
    @Nullable
    Pool refusedBy() {
        return refusedBy;
    }

    /** All is answered. */
    void onAnswered() {
        drop();
        refusedBy = null;
    }
}
