package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.catalog.DatabaseCatalog;
import io.plenum.pooler.config.DeferredBegin;
import io.plenum.pooler.link.ClientStatements;
import io.plenum.pooler.link.HeldBegin;
import io.plenum.pooler.link.LeadingCommand;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.Catalog;
import io.plenum.routing.HintPolicy;
import io.plenum.routing.Reason;
import io.plenum.routing.RoutingHint;
import io.plenum.routing.RoutingPolicy;
import io.plenum.routing.Target;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.frontend.TargetView;
import org.jspecify.annotations.Nullable;

/**
 * What a client that has logged in has said of its session, and what that means for where its batches go: its settings, its
 * named statements, what names mean in its database. Confined to its event loop.
 */
final class ClientSession implements BatchReader.Session {
    private final ClientStatements statements = new ClientStatements();
    private final SessionProfile start;
    private final Link link;
    private final HeldBegin begin;

    /** What names mean in the database; null in session mode, where it makes no difference. */
    private final @Nullable DatabaseCatalog names;

    private ClientSettings limits;
    private SessionTraits traits;

    /** By which version of the names the unnamed statement was judged. */
    private long unnamedJudgedBy;

    /** The session begins; {@code names} are entered already. */
    ClientSession(
            SessionProfile start, ClientSettings limits, Link link, HeldBegin begin, @Nullable DatabaseCatalog names) {
        this.start = start;
        this.traits = start.traits();
        this.limits = limits;
        this.link = link;
        this.begin = begin;
        this.names = names;
    }

    /** What the configuration says of the client. */
    ClientSettings limits() {
        return limits;
    }

    void setLimits(ClientSettings limits) {
        this.limits = limits;
    }

    SessionSettings settings() {
        return traits.settings();
    }

    SessionSettings startSettings() {
        return start.settings();
    }

    SessionTraits traits() {
        return traits;
    }

    void set(SessionSettings settings) {
        traits = SessionTraits.of(settings, start.reported());
    }

    /** What the session has for a reported parameter: its own value, or that of its start. */
    @Nullable
    String value(String name) {
        return SessionTraits.value(name, traits.settings(), start.reported());
    }

    /** The unnamed statement was parsed, and judged by this version of the names. */
    void onUnnamedParse(long judgedBy) {
        unnamedJudgedBy = judgedBy;
    }

    /** Answers the Close from {@code start} to {@code end} if no server need hear of it; false if one must. */
    boolean closes(BatchReader reader, ByteBuf bytes, int start, int end, Outbox out) {
        TargetView close;
        try {
            close = reader.targetOf(bytes, start, end);
        } catch (ProtocolException malformed) {
            return false;
        }
        if (close.isStatement() && (limits.maxPrepared() == 0 || close.isUnnamed())) {
            return false; // it is gone only when its server has closed it
        }
        if (close.isStatement()) {
            byte[] name = new byte[close.nameEnd() - close.nameStart()];
            bytes.getBytes(close.nameStart(), name);
            statements.remove(name);
        }
        BackendMessages.closeComplete(out.writer());
        return true;
    }

    /** The batch was answered that no server has seen, whose text was judged by this version of the names. */
    void onAnswered(LeadingCommand said, long judgedBy) {
        link.onAnswered(said);
        if (said.parses()) {
            onUnnamedParse(judgedBy);
        }
    }

    /** A transaction is over in which the client gave names of the database a meaning. */
    void onDefined() {
        if (names != null) {
            names.onDefined();
        }
    }

    void close() {
        if (names != null) {
            names.leave();
        }
    }

    @Override
    public RoutingPolicy routing() {
        return limits.routing();
    }

    @Override
    public boolean isReadOnlyByDefault() {
        return traits.readOnlyByDefault();
    }

    @Override
    public boolean isTextSafe() {
        return traits.safeText();
    }

    @Override
    public Catalog catalog() {
        if (names == null) {
            return Catalog.OFF;
        }
        Catalog now = names.snapshot();
        return traits.utf8() ? now : now.inAnyEncoding();
    }

    @Override
    public HintPolicy hints() {
        return limits.hints();
    }

    @Override
    public RoutingHint hint() {
        return traits.hint();
    }

    @Override
    public boolean isSerializableByDefault() {
        String isolation = traits.isolation();
        return isolation == null ? catalog().isSerializable() : isolation.equals("serializable");
    }

    @Override
    public ClientStatements statements() {
        return statements;
    }

    @Override
    public HeldBegin begin() {
        return begin;
    }

    @Override
    public boolean mayHoldBegin() {
        return limits.deferredBegin() != DeferredBegin.OFF && traits.safeText() && !traits.limitsTransactions();
    }

    @Override
    public boolean mayBeTentative() {
        String isolation = traits.isolation();
        return limits.deferredBegin() == DeferredBegin.OPTIMISTIC
                && mayHoldBegin()
                && (isolation == null ? catalog().isReadCommitted() : isolation.equals("read committed"));
    }

    @Override
    public Reason unnamedReason() {
        Reason reason = link.unnamedReason();
        return reason.target() == Target.PRIMARY || isUnnamedJudgedNow() ? reason : Reason.NO_CATALOG;
    }

    boolean isUnnamedJudgedNow() {
        return unnamedJudgedBy == catalog().version();
    }
}
