package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A client's unnamed statement: what it is when all is answered that is on its way, and whether the server has it.
 *
 * <p>It lives on the server that parsed it, so its text is kept to be parsed on another. Each message that changes it
 * makes a version, which stands in the queue of replies; one that is skipped is none, and then the youngest version that
 * was not skipped counts. Confined to the event loop of its link.
 */
final class UnnamedStatement {
    /** Longer texts are not kept: on another server the statement is lost. */
    private static final int KEPT_BYTES = 64 * 1024;

    /** So much text is kept of what is on its way, and so many versions. */
    private static final int KEPT_BYTES_IN_FLIGHT = 4 * KEPT_BYTES;

    private static final int MOST_VERSIONS = 64;

    /** When nothing is on its way, no more than these are kept to be used again. */
    private static final int SPARE_VERSIONS = 4;

    /** What it is behind one of the messages that change it. */
    static final class Version {
        private byte[] tail = new byte[0];
        private int length;
        private Reason reason = Reason.EMPTY;
        private int traits;
        /** Counts the versions of the client: another server may still hold an older one. */
        private long stamp;
        /** Whether the server that the client has holds it, or will. */
        private boolean here;

        /** There is none; else it has a text, or one that is not kept. */
        private boolean none = true;

        private boolean skipped;
        private final Brought brought = new Brought(this);

        private void keep(ByteBuf bytes, int start, int end, Reason reason, int traits) {
            if (tail.length < end - start) {
                tail = new byte[Math.max(64, (end - start) + (end - start) / 2)];
            }
            length = end - start;
            bytes.getBytes(start, tail, 0, length);
            none = false;
            this.reason = reason;
            this.traits = traits;
        }

        private void forget(boolean none) {
            this.none = none;
            length = 0;
            reason = Reason.NOT_UNDERSTOOD;
            traits = 0;
        }

        private int textLength() {
            int end = 0;
            while (end < length && tail[end] != 0) {
                end++;
            }
            return end;
        }
    }

    /** The subject of what we put in front of a message so that the server has this version. */
    record Brought(Version version) {}

    /** The subject of a Query that ended it, with what it was. */
    record Ended(@Nullable Version[] versions, int size, Version current) {}

    private final LinkedClient client;
    /** The oldest first: what it was when all was answered, and behind it what is on its way. */
    private @Nullable Version[] versions = new Version[1];

    private int size = 1;
    private Version current = new Version();
    private long stamps;
    private int bytesInFlight;
    /** The group that last changed or brought it, and so does not depend on others. */
    private long group = -1;

    private boolean inFlight;

    UnnamedStatement(LinkedClient client) {
        this.client = client;
        versions[0] = current;
    }

    /** Nothing is on its way: what it is now is certain. */
    void settle() {
        inFlight = false;
        current.skipped = false;
        if (size == 1) {
            return;
        }
        for (int i = 1; i < size; i++) {
            if (versions[i] == current) {
                versions[i] = versions[0];
            }
        }
        versions[0] = current;
        size = 1;
        bytesInFlight = 0;
        if (versions.length > SPARE_VERSIONS) {
            versions = Arrays.copyOf(versions, SPARE_VERSIONS);
        }
    }

    Reason reason() {
        return current.reason;
    }

    int traits() {
        return current.traits;
    }

    /** The text, to be looked at; null when there is none or it is not kept. */
    @Nullable
    ByteBuf text() {
        return current.length == 0 ? null : Unpooled.wrappedBuffer(current.tail, 0, current.textLength());
    }

    /** Whether a text of this length, with its NUL and parameter types, would be kept. */
    boolean keeps(int length) {
        return length <= KEPT_BYTES && bytesInFlight + length <= KEPT_BYTES_IN_FLIGHT;
    }

    /** Whether what it is depends on another group than the one at hand, which is not answered. */
    boolean isInFlight(ServerConnection linked) {
        return inFlight && group != linked.group().number() && linked.replies().owesReady();
    }

    /** A Parse of it is about to be sent, with this behind its name. */
    Version parse(ServerConnection linked, ByteBuf bytes, int start, int end, Reason reason, int traits) {
        Version next = next(linked);
        next.keep(bytes, start, end, reason, traits);
        bytesInFlight += end - start;
        return next;
    }

    /** A Parse of it is about to be sent whose text is not kept. */
    Version parseUnkept(ServerConnection linked) {
        Version next = next(linked);
        next.forget(false);
        return next;
    }

    /** A Close of it is about to be sent, or a Query in a group. */
    Version close(ServerConnection linked) {
        Version next = next(linked);
        next.forget(true);
        return next;
    }

    /**
     * A simple Query outside a group is about to be sent, which ends it whatever else happens.
     *
     * @return the subject under which that is undone if the Query is taken back with others before it; null for nothing
     */
    @Nullable
    Ended end(ServerConnection linked) {
        Ended ended = null;
        if (size > 1 || !current.none) {
            if (linked.replies().isEmpty()) {
                settle();
            } else {
                ended = client.holdsRequest() ? new Ended(versions, size, current) : null;
                current = new Version();
                versions = new Version[] {current}; // the queue still names the others
                size = 1;
                bytesInFlight = 0;
            }
            current.forget(true);
            stamps++;
            current.stamp = stamps;
        }
        inFlight = false;
        linked.statements().setUnnamed(client, current.stamp);
        return ended;
    }

    /** The Query is taken back: it is what it was. */
    void onNotEnded(ServerConnection linked, Ended ended) {
        versions = ended.versions();
        size = ended.size();
        current = ended.current();
        linked.statements().forgetUnnamed();
    }

    /** A simple Query was answered that no server has seen, nothing being owed: whatever one holds is not the client's. */
    void endUnsent() {
        if (!current.none) {
            current.forget(true);
            stamps++;
            current.stamp = stamps;
        }
    }

    /** A Parse of it was answered that no server has seen, nothing being owed. */
    void parseUnsent(ByteBuf bytes, int start, int end, Reason reason, int traits) {
        current.keep(bytes, start, end, reason, traits);
        stamps++;
        current.stamp = stamps;
    }

    private Version next(ServerConnection linked) {
        if (linked.replies().isEmpty()) {
            settle();
        }
        if (size == 1) {
            current.here = linked.statements().holdsUnnamed(client, current.stamp);
        }
        if (size == MOST_VERSIONS) {
            System.arraycopy(versions, 1, versions, 0, MOST_VERSIONS - 1);
            size--;
            versions[size] = null; // the queue may name the one that fell out
        } else if (size == versions.length) {
            versions = Arrays.copyOf(versions, Math.min(MOST_VERSIONS, 4 * size));
        }
        Version next = versions[size];
        if (next == null) {
            next = new Version();
            versions[size] = next;
        }
        size++;
        stamps++;
        next.stamp = stamps;
        next.here = true;
        next.skipped = false;
        current = next;
        group = linked.group().number();
        inFlight = true;
        linked.statements().setUnnamed(client, stamps);
        return next;
    }

    /** The message that makes this version was skipped; or it was a Parse that failed {@code itself}: then there is none. */
    void onUnanswered(ServerConnection linked, Version version, boolean itself) {
        if (itself) {
            version.forget(true);
            return;
        }
        version.skipped = true;
        int at = size - 1;
        while (at > 0 && isSkipped(at)) {
            at--;
        }
        current = at(at);
        if (current.skipped) { // more was skipped than was kept
            current.forget(true);
            current.here = false;
        }
        claim(linked);
    }

    private boolean isSkipped(int index) {
        return at(index).skipped;
    }

    private Version at(int index) {
        Version version = versions[index];
        if (version == null) {
            throw new IllegalStateException("no version " + index);
        }
        return version;
    }

    private void claim(ServerConnection linked) {
        if (current.here) {
            linked.statements().setUnnamed(client, current.stamp);
        } else {
            linked.statements().forgetUnnamed();
        }
    }

    /** What was to bring the version to the server failed or was skipped. */
    void onNotBrought(ServerConnection linked, Brought brought) {
        Version version = brought.version();
        version.here = false;
        if (linked.statements().holdsUnnamed(client, version.stamp)) {
            linked.statements().forgetUnnamed();
        }
    }

    /**
     * Puts in front of a message that names it what makes the server's the client's.
     *
     * @return the subject under which that is owed; null when the server has it. A Parse if {@link #text()} is kept, else a
     *     Close: a client that has none must not find another's, or one of ours
     */
    @Nullable
    Brought bring(ServerConnection linked) {
        if (linked.statements().holdsUnnamed(client, current.stamp)) {
            return null;
        }
        group = linked.group().number();
        inFlight = true; // what is behind its group must wait for it
        current.here = true;
        linked.statements().setUnnamed(client, current.stamp);
        ByteBuf out = linked.outbox().writer();
        if (current.length > 0) {
            out.writeByte('P')
                    .writeInt(4 + 1 + current.length)
                    .writeByte(0)
                    .writeBytes(current.tail, 0, current.length);
        } else {
            out.writeByte('C').writeInt(4 + 2).writeByte('S').writeByte(0);
        }
        return current.brought;
    }
}
