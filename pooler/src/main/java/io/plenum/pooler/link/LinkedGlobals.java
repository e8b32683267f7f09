package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.GlobalChanges;
import io.plenum.wire.TransactionStatus;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What statements of a link do to databases and roles: who needs a database for itself is heard before it is sent, what sessions
 * begin with when it is committed. Doubt tells too much. Made for a link when it is first needed; confined to its event loop.
 */
final class LinkedGlobals implements GlobalChanges.Sink {
    /** More changes at once are told as one of everything. */
    private static final int MOST_CHANGES = 100;

    private final Link link;
    private final LinkedClient client;

    /** What was sent and is not known to be over. */
    private final Set<Change> sent = new LinkedHashSet<>();

    /** Something failed or was rolled back, perhaps all of what is sent. */
    private boolean undone;

    private record Change(@Nullable String role, @Nullable String database) {}

    LinkedGlobals(Link link, LinkedClient client) {
        this.link = link;
        this.client = client;
    }

    /** A statement with {@link io.plenum.routing.Traits#CHANGES_GLOBALS} is about to be sent. */
    void note(ByteBuf bytes, int start, int end) {
        client.readGlobals(bytes, start, end, this);
    }

    @Override
    public void claims(String database) {
        client.claim(link.pool().key().node(), database);
    }

    @Override
    public void changes(@Nullable String role, @Nullable String database) {
        if (sent.size() >= MOST_CHANGES) {
            sent.clear();
            sent.add(new Change(null, null));
        } else {
            sent.add(new Change(role, database));
        }
    }

    void onUndone() {
        undone = true;
    }

    /** ReadyForQuery for the client; {@code last} says that it is owed no other answer. */
    void onReady(TransactionStatus status, boolean last) {
        if (status == TransactionStatus.IDLE && !undone) {
            tell();
        }
        if (status == TransactionStatus.IDLE && last) {
            sent.clear();
        }
        undone &= status
                == TransactionStatus.FAILED; // in one that goes on, a savepoint may have been all that was undone
    }

    /** The link is over: of what is not known to be over PostgreSQL alone knows. */
    void end() {
        tell();
        sent.clear();
        undone = false;
    }

    private void tell() {
        sent.forEach(change -> client.onGlobalChange(change.role(), change.database()));
    }
}
