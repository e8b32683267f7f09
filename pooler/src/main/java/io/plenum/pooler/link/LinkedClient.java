package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.GlobalChanges;
import io.plenum.routing.PreparedName;
import io.plenum.routing.Reason;
import io.plenum.routing.SessionChanges;
import io.plenum.routing.topology.Node;
import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;

/** What a link needs of its client. Confined to the client's event loop. */
public interface LinkedClient {
    Outbox outbox();

    SessionSettings settings();

    void setSettings(SessionSettings settings);

    /** What the session began with: where RESET and DISCARD ALL go back to. */
    SessionSettings startSettings();

    ClientStatements statements();

    /** So many statements are kept on a server; 0 leaves names as the client chose them. */
    int maxPrepared();

    String database();

    /** The {@link io.plenum.routing.Catalog#version} by which the text of the message at hand was judged. */
    long judgedBy();

    /** The {@link io.plenum.routing.Catalog#version} of what names mean now; 0 while that is not certain. */
    long certainCatalog();

    /** Judges a statement anew that was judged by what names no longer mean. */
    void judge(PreparedStatement statement);

    /** Whether the unnamed statement was judged by what names mean now. */
    boolean isUnnamedJudgedNow();

    /** Whether code that a statement runs may leave {@link io.plenum.routing.HiddenState}. */
    boolean mayRunHidingCode();

    /** A transaction is over in which the client gave names of the database a meaning. */
    void onDefined();

    /** The session's search_path as far as it is known to differ from that of its start, else empty. */
    default String searchPath() {
        String path = settings().get("search_path");
        return path == null ? "" : path;
    }

    /** Reads what a text changes in the session, in place. */
    void readChanges(ByteBuf sql, int start, int end, SessionChanges.Sink sink);

    /** Reads what a text does to databases and roles, in place. */
    void readGlobals(ByteBuf sql, int start, int end, GlobalChanges.Sink sink);

    /** What is about to be sent needs a database of this node for itself; the name is that on the server. */
    void claim(Node node, String database);

    /** What sessions of this role begin with in this database is another now; null stands for all. */
    void onGlobalChange(@Nullable String role, @Nullable String database);

    /** Reads which prepared statement a text names; shared with others, so for use at once. */
    PreparedName preparedName();

    /** Whether the client's encoding and {@code standard_conforming_strings} let a text be trusted to be what it looks like. */
    boolean isTextSafe();

    /** Whether the client's texts are in UTF8. */
    boolean speaksUtf8();

    Listening listening();

    /**
     * Whether the client may keep a server of this pool; one that may not is told so and closed. {@code counts} says that it
     * takes its place in the share of servers that may be kept.
     */
    boolean grantPin(Reason reason, Pool pool, boolean counts);

    /** A transaction that may have written is over; {@code mayBeUnflushed} says that it may have chosen not to be flushed. */
    void onCommit(boolean mayBeUnflushed);

    /** Whether an advisory lock of the transaction keeps others out where the client is; false when it was refused. */
    boolean grantLock();

    /**
     * Does to the client that knows itself as this process what pg_terminate_backend, or else pg_cancel_backend, does to a
     * session; false where there is none, or none that the client may do that to. {@code anybody} says that it is a superuser.
     */
    boolean signal(int processId, boolean terminates, boolean anybody);

    /** Whether the client keeps the server on which it drew from a sequence. */
    boolean keepsSequences();

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

    /** The standby refused what was sent, of which the client has heard nothing, and was given back: another node shall run it. */
    void onRefused(Refusal refusal);

    /**
     * The server is lost and owes the client nothing: whether the client's transaction, which has only read there, goes on
     * elsewhere, as one that has {@code failed} where it has. The client is then {@linkplain #onReleased released}.
     */
    boolean leaves(boolean failed);

    /** Whether all that the server was sent and has not answered is kept, so that it could be sent again. */
    boolean holdsRequest();

    /** The client hears of what it has sent before the server does: that cannot be sent again. */
    void onHeard();

    /** The client has the answer to the first of what is kept, and of the rest has heard nothing. */
    void onGroupAnswered();

    /** A transaction block was opened although the pool mode is statement. */
    void onTransactionInStatementMode();

    /** More statements are prepared by name than may be. */
    void onTooManyStatements();

    /** Our own statement in front of the client's failed: the session cannot be what the client thinks. */
    void onOutOfStep(ErrorResponse error);

    /** The BEGIN that was held back failed on the server, and nothing of what stands behind it has run. */
    void onBeginFailed(ErrorResponse error);

    /** Replies came in, so a client that was held back for having too many outstanding may go on. */
    void onProgress();

    /** Whether the client takes more bytes; while it does not, its server is not read. */
    boolean isWritable();

    /** Whether the client may be read from: its server takes bytes, or does not. */
    void setReadable(boolean readable);
}
