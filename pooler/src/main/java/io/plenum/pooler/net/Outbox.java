package io.plenum.pooler.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * What goes to one peer, in order and in as few pieces as can be: one write and one flush for a batch of reads.
 *
 * <p>A run of messages is passed on as a retained slice of the buffer that it came in, or whole when nothing else is in
 * that buffer. Short runs between messages of our own are copied behind them, for that costs less than another
 * element of a gathering write. Confined to the event loop of its channel.
 */
public final class Outbox {
    /** Shorter runs than this are copied when they stand beside other bytes. */
    private static final int COPY_BELOW = 2 * 1024;

    private static final int FIRST_BYTES = 512;

    private final Channel channel;
    private @Nullable ByteBuf own;
    private @Nullable ByteBuf source;
    private int from;
    private int to;
    private boolean unflushed;
    private long bytes;

    public Outbox(Channel channel) {
        this.channel = channel;
    }

    /** Appends a run of received bytes; {@code run} stays the caller's and must not change before {@link #flush()}. */
    public void forward(ByteBuf run, int start, int end) {
        if (source == run && to == start) {
            to = end;
            return;
        }
        settle();
        source = run;
        from = start;
        to = end;
    }

    /** The buffer to append messages of our own to, right now and only until the next call. */
    public ByteBuf writer() {
        settle();
        ByteBuf buffer = own;
        if (buffer == null) {
            buffer = channel.alloc().directBuffer(FIRST_BYTES);
            own = buffer;
        }
        return buffer;
    }

    /** Sends all that was appended; after this no received buffer is referred to any more, save by the channel. */
    public void flush() {
        ByteBuf run = source;
        if (run != null && own == null) {
            send(run);
        } else {
            settle();
            writeOwn();
        }
        if (unflushed) {
            unflushed = false;
            channel.flush();
        }
    }

    /** Keeps all that was appended for a later {@link #flush()}; false, and nothing is done, when that is not little. */
    public boolean hold() {
        if (unflushed || (source != null && to - from >= COPY_BELOW)) {
            return false;
        }
        settle();
        return true;
    }

    /** Bytes handed to this peer so far. */
    public long bytes() {
        return bytes;
    }

    /** Whether appended bytes still wait for {@link #flush()}. */
    public boolean hasUnsent() {
        return own != null || source != null || unflushed;
    }

    /** Bytes appended so far, whether they were handed on or not: what {@link #discardBehind} can go back to. */
    public long appended() {
        return bytes + ownBytes() + (source == null ? 0 : to - from);
    }

    private int ownBytes() {
        return own == null ? 0 : own.readableBytes();
    }

    /** Drops what was appended since {@link #appended} said this; false, and nothing, when some of it was handed on. */
    public boolean discardBehind(long appended) {
        long kept = appended - bytes;
        if (kept < 0) {
            return false;
        }
        int ofRun = (int) kept - ownBytes();
        if (ofRun > 0) {
            to = from + ofRun;
        } else if (kept == 0 || own == null) {
            discard();
        } else {
            source = null;
            own.writerIndex(own.readerIndex() + (int) kept);
        }
        return true;
    }

    /** Drops what was not flushed; the channel is or will be closed. */
    public void discard() {
        source = null;
        if (own != null) {
            own.release();
            own = null;
        }
    }

    /** Gives the remembered run its place: behind our own bytes by copy, or as a slice. */
    private void settle() {
        ByteBuf run = source;
        if (run == null) {
            return;
        }
        int length = to - from;
        if (length < COPY_BELOW) {
            source = null;
            writer().writeBytes(run, from, length);
        } else {
            writeOwn();
            send(run);
        }
    }

    private void send(ByteBuf run) {
        source = null;
        bytes += to - from;
        unflushed = true;
        boolean whole = from == run.readerIndex() && to == run.writerIndex();
        channel.write(whole ? run.retainedDuplicate() : run.retainedSlice(from, to - from), channel.voidPromise());
    }

    private void writeOwn() {
        ByteBuf buffer = own;
        if (buffer != null) {
            own = null;
            bytes += buffer.readableBytes();
            unflushed = true;
            channel.write(buffer, channel.voidPromise());
        }
    }
}
