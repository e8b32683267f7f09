package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.Reason;
import io.plenum.routing.SessionChanges;
import io.plenum.wire.error.ErrorResponse;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** What a link needs of its client. Confined to the client's event loop. */
public interface LinkedClient {
    Outbox outbox();

    SessionSettings settings();

    void setSettings(SessionSettings settings);

    /** What the session began with: where RESET and DISCARD ALL go back to. */
    SessionSettings startSettings();

    ClientStatements statements();

    String database();

    /** The {@link io.plenum.routing.Catalog#version} by which the text of the message at hand was judged. */
    long judgedBy();

    /** A transaction is over in which the client gave names of the database a meaning. */
    void onDefined();

    /** The session's search_path as far as it is known to differ from that of its start, else empty. */
    default String searchPath() {
        String path = settings().get("search_path");
        return path == null ? "" : path;
    }

    /** Reads what a text changes in the session, in place. */
    void readChanges(ByteBuf sql, int start, int end, SessionChanges.Sink sink);

    /** Whether the client's LISTENs are served by a connection that it shares with others. */
    boolean sharesListener();

    /** Whether the client listens to a channel by the shared connection. */
    boolean isListening();

    /** The channels that it listens to by the shared connection. */
    Collection<String> channels();

    /**
     * Sees to it that the shared connection listens to these before the client's statement runs. False when it does not yet:
     * then the client shows its message again when it does.
     */
    boolean listenFirst(Collection<String> channels);

    /** A transaction ended with the session registered for these; {@code exactly} or besides those it had before. */
    void onChannels(Collection<String> channels, boolean exactly);

    /** The client's ReadyForQuery is not sent on, but comes with {@link #tellNotifications}; until then the client waits. */
    void withholdReady();

    /** The ReadyForQuery that was withheld does not come any more: the server's last word went to the client. */
    void dropReady();

    /**
     * A transaction is over: the client hears what was notified meanwhile.
     *
     * @param all whether that is to include all that was committed so far, with ReadyForQuery behind it, which was withheld
     */
    void tellNotifications(boolean all);

    /**
     * Whether the client may keep a server of this pool; one that may not is told so and closed. {@code counts} says that it
     * takes its place in the share of servers that may be kept.
     */
    boolean grantPin(Reason reason, Pool pool, boolean counts);

    /** A transaction that may have written is over; {@code mayBeUnflushed} says that it may have chosen not to be flushed. */
    void onCommit(boolean mayBeUnflushed);

    PoolStats stats();

    /** For the log and the console. */
    long id();

    /** The server was given back: the client's next message is the start of a new batch. */
    void onReleased();

    /**
     * The server is gone.
     *
     * @param fatal its last words, null when there were none
     * @param heard whether the client has heard them
     * @param rerun whether nothing of the current reads has reached the client, so that another server may run them
     */
    void onServerLost(@Nullable ErrorResponse fatal, boolean heard, boolean rerun);

    /** Whether all that the server was sent and has not answered is kept, so that it could be sent again. */
    boolean holdsRequest();

    /** A transaction block was opened although the pool mode is statement. */
    void onTransactionInStatementMode();

    /** Our own statement in front of the client's failed: the session cannot be what the client thinks. */
    void onOutOfStep(ErrorResponse error);

    /** Replies came in, so a client that was held back for having too many outstanding may go on. */
    void onProgress();

    /** Whether the client takes more bytes; while it does not, its server is not read. */
    boolean isWritable();

    /** Whether the client may be read from: its server takes bytes, or does not. */
    void setReadable(boolean readable);
}
