package io.plenum.pooler.server;

import io.plenum.wire.FrontendType;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The replies that a server still owes, oldest first, each with its kind and with who asked for it.
 *
 * <p>One entry goes in for each message sent that is answered, one comes out for each answer. Counting ReadyForQuery
 * instead is how poolers gave one client the rows of another: a pipeline holds many Syncs, and after an error the
 * server answers none of the messages up to the next. Confined to the server's event loop.
 */
public final class OutstandingReplies {
    /** What a message is answered with. */
    public enum Reply {
        PARSE,
        BIND,
        CLOSE,
        DESCRIBE_STATEMENT,
        DESCRIBE_PORTAL,
        EXECUTE,
        /** A run of CopyData: owes nothing, but a Sync behind it is answered when the data are refused. */
        COPY_DATA,
        /** CopyDone or CopyFail: owes nothing, but bounds the Syncs that a COPY swallows. */
        COPY_END,
        SYNC,
        QUERY,
        FUNCTION_CALL;

        private static final Reply[] ALL = values();

        /** What a message is answered with, by an error, whose body is not what its type says. */
        public static Reply toMalformed(FrontendType type) {
            return switch (type) {
                case PARSE -> PARSE;
                case BIND -> BIND;
                case DESCRIBE -> DESCRIBE_STATEMENT;
                case CLOSE, FLUSH -> CLOSE;
                default -> throw new IllegalStateException("not looked into: " + type);
            };
        }

        /** Whether ReadyForQuery, and nothing else, ends the answer. */
        public boolean endsWithReady() {
            return this == SYNC || this == QUERY || this == FUNCTION_CALL;
        }

        /** Whether the message is of the data of a COPY, and owed nothing by itself. */
        boolean isOfCopy() {
            return this == COPY_DATA || this == COPY_END;
        }
    }

    /** Who asked, and so who hears the answer. */
    public enum Origin {
        /** The client: the answer is passed on. */
        CLIENT,
        /** We, in front of the client's message: the answer is swallowed. */
        INJECTED,
        /** The client, but the server was not asked: we answer when the entry's turn comes. */
        SYNTHETIC;

        private static final Origin[] ALL = values();
    }

    private static final int FIRST_CAPACITY = 16;
    private static final int REPLY_BITS = 4;

    private byte[] entries = new byte[FIRST_CAPACITY];
    private @Nullable Object[] subjects = new Object[FIRST_CAPACITY];
    private int head;
    private int size;

    public void add(Reply reply, Origin origin) {
        add(reply, origin, null);
    }

    /** Appends an entry; {@code subject} is what the answer is about, for whoever takes the entry out. */
    public void add(Reply reply, Origin origin, @Nullable Object subject) {
        if (size == entries.length) {
            grow();
        }
        int tail = (head + size) & (entries.length - 1);
        entries[tail] = (byte) (reply.ordinal() | origin.ordinal() << REPLY_BITS);
        subjects[tail] = subject;
        size++;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public int size() {
        return size;
    }

    /** The kind of the oldest entry; the queue must not be empty. */
    Reply head() {
        return at(0);
    }

    public Origin headOrigin() {
        return Origin.ALL[entries[head] >> REPLY_BITS];
    }

    public @Nullable Object headSubject() {
        return subjects[head];
    }

    /** The kind of an entry, the oldest being 0. */
    public Reply replyAt(int index) {
        return at(index);
    }

    /** What the answer of an entry is about, the oldest being 0. */
    public @Nullable Object subjectAt(int index) {
        return subjects[(head + index) & (entries.length - 1)];
    }

    /** Where the oldest entry of this kind stands, the oldest of all being 0; {@link #size()} when there is none. */
    int indexOf(Reply reply) {
        int index = 0;
        while (index < size && at(index) != reply) {
            index++;
        }
        return index;
    }

    /** Whether an entry that ReadyForQuery ends is among those behind which the next one would stand. */
    public boolean owesReady() {
        for (int i = 0; i < size; i++) {
            if (at(i).endsWithReady()) {
                return true;
            }
        }
        return false;
    }

    /** Whether data of a COPY or their end were sent last, and what reads them if it does is an Execute, or has failed. */
    boolean mayIgnoreSync() {
        int last = size - 1;
        if (last < 0 || !at(last).isOfCopy()) {
            return false;
        }
        while (last >= 0 && (at(last).isOfCopy() || at(last) == Reply.SYNC)) {
            last--;
        }
        return last < 0 || at(last) == Reply.EXECUTE;
    }

    /** Takes out the data of a COPY and their end that are owed first: what would have read them is answered. */
    void dropUnread() {
        while (size > 0 && at(0).isOfCopy()) {
            remove();
        }
    }

    /** Whether an entry of the client's is among those that are owed. */
    public boolean owesClient() {
        for (int i = 0; i < size; i++) {
            if (Origin.ALL[entries[(head + i) & (entries.length - 1)] >> REPLY_BITS] != Origin.INJECTED) {
                return true;
            }
        }
        return false;
    }

    /** Whether a Sync may be answered during copy-in: when data before it are refused, or behind their end. */
    public boolean owesCopyData() {
        return indexOf(Reply.COPY_DATA) < size || indexOf(Reply.COPY_END) < size;
    }

    /** Takes out the oldest entry. */
    void remove() {
        subjects[head] = null;
        head = (head + 1) & (entries.length - 1);
        size--;
    }

    /**
     * Forgets the Syncs behind the oldest entry that the server ignores because it is reading COPY data.
     *
     * <p>Manual, "COPY Operations": during copy-in, Sync and Flush are ignored. A Sync that was sent behind the CopyDone
     * of the same pipeline is answered.
     *
     * @return how many
     */
    int dropSyncsSwallowedByCopy() {
        int before = size;
        while (size > 1 && at(1) == Reply.SYNC) {
            removeSecond();
        }
        return before - size;
    }

    /** The COPY of the oldest entry has taken its data: forgets the runs of them, and the Syncs that it swallowed between. */
    void dropCopyData() {
        int end = indexOf(Reply.COPY_END);
        boolean ended = end < size;
        while (size > 1 && (at(1) == Reply.COPY_DATA || (ended && at(1) == Reply.SYNC))) {
            removeSecond();
        }
    }

    /** The kind of the youngest entry; the queue must not be empty. */
    public Reply tail() {
        return at(size - 1);
    }

    /** Forgets the entry behind the oldest one: its message was consumed by the failure of the oldest. */
    void removeSecond() {
        byte entry = entries[head];
        Object subject = subjects[head];
        remove();
        entries[head] = entry;
        subjects[head] = subject;
    }

    private Reply at(int index) {
        return Reply.ALL[entries[(head + index) & (entries.length - 1)] & ((1 << REPLY_BITS) - 1)];
    }

    private void grow() {
        byte[] more = new byte[entries.length * 2];
        @Nullable Object[] moreSubjects = new Object[more.length];
        for (int i = 0; i < size; i++) {
            int from = (head + i) & (entries.length - 1);
            more[i] = entries[from];
            moreSubjects[i] = subjects[from];
        }
        entries = more;
        subjects = moreSubjects;
        head = 0;
    }

    /** Forgets everything and the memory of a long pipeline. */
    void clear() {
        if (entries.length > FIRST_CAPACITY) {
            entries = new byte[FIRST_CAPACITY];
            subjects = new Object[FIRST_CAPACITY];
        } else {
            Arrays.fill(subjects, null);
        }
        head = 0;
        size = 0;
    }

    @Override
    public String toString() {
        var text = new StringBuilder("[");
        for (int i = 0; i < size; i++) {
            text.append(i == 0 ? "" : " ").append(at(i));
        }
        return text.append(']').toString();
    }
}
