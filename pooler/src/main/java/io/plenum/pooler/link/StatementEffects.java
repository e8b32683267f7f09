package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.HiddenState;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.CommandTag;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the statements of a client leave behind them on the server of its link, noted before each is sent: in the session, for
 * which the server is asked ({@link SessionTrace}), kept ({@link Pin}) or scrubbed; in what it remembers of {@link
 * LinkedSequences sequences} and {@link LinkedChannels channels}; in the database, of which others are to hear ({@link Writes},
 * {@link Definitions}), and in what databases share ({@link LinkedGlobals}).
 *
 * <p>A statement is sent only when what it leaves is noted: a {@code note} that says false means that it must not be, for the
 * client was refused, or that it is to be shown again when the client's channels are there. Texts are lent for the call. Made
 * once per link, so once per client. Confined to the event loop that client and server share.
 */
final class StatementEffects {
    private final Link link;
    private final LinkedClient client;
    private final StatementNames names;
    private final FollowedSettings settings;
    private final LinkedChannels channels;
    private final LinkedSequences sequences;
    private final Pin pin;
    private final Writes writes = new Writes();
    private final Definitions definitions = new Definitions();

    /** In session mode the client has the server for good, and so all that is left there. */
    private final boolean keepsServer;

    /** Null until it is needed first. */
    private @Nullable SessionTrace trace;

    /** Null until it is needed first. */
    private @Nullable LinkedGlobals globals;

    private int signals;

    /** Something that is not temporary is made, of which the tag of the answer may not tell. */
    private boolean creates;

    private boolean ranUnknownCode;

    /** Some of it may have left what a scrub has to look for. */
    private boolean ranHidingCode;

    /** What names meant when the first statement of the link was judged of which they meant something certain; 0 before. */
    private long judgedBy;

    StatementEffects(
            Link link, LinkedClient client, StatementNames names, FollowedSettings settings, boolean keepsServer) {
        this.link = link;
        this.client = client;
        this.names = names;
        this.settings = settings;
        this.channels = new LinkedChannels(client.listening(), this);
        this.sequences = new LinkedSequences(client);
        this.pin = new Pin(client);
        this.keepsServer = keepsServer;
    }

    /** A link begins. */
    void begin() {
        sequences.begin();
        channels.begin();
        writes.clear();
        creates = false;
        ranUnknownCode = false;
        ranHidingCode = false;
        names.forgetParsed();
        judgedBy = 0;
    }

    /** The link is over, and its server no longer the client's. */
    void end(Pool home) {
        if (trace != null) {
            trace.forget();
        }
        pin.end(home);
        tellDefined();
        if (globals != null) {
            globals.end();
        }
    }

    Pin pin() {
        return pin;
    }

    LinkedChannels channels() {
        return channels;
    }

    LinkedSequences sequences() {
        return sequences;
    }

    SessionTrace trace() {
        SessionTrace made = trace;
        if (made == null) {
            made = new SessionTrace(this);
            trace = made;
        }
        return made;
    }

    private LinkedGlobals globals() {
        LinkedGlobals made = globals;
        if (made == null) {
            made = new LinkedGlobals(link, client);
            globals = made;
        }
        return made;
    }

    /** Null where it was not needed yet. */
    @Nullable
    SessionTrace traceOrNull() {
        return trace;
    }

    /** Whether the session may hold what only the server can tell. */
    boolean isOpen() {
        return trace != null && trace.isOpen();
    }

    /** Whether names may mean what only the session has: temporary tables hide others. */
    boolean mayHaveOwnNames() {
        return pin.isSet() || (trace != null && trace.doubtsHoldings());
    }

    /** Whether the settings of the session depend on an answer that is on its way. */
    boolean isAskedForResets() {
        return trace != null && trace.isAskedForResets();
    }

    /** Whether a server that goes back is to be scrubbed first, as far as what ran there goes. */
    boolean isScrubDue(Pool home) {
        return home.settings().scrub().isDue(ranUnknownCode || ranUnseenCode());
    }

    /** Whether that has to look for what code may hide. */
    boolean ranHidingCode() {
        return ranHidingCode || (ranUnseenCode() && client.mayRunHidingCode());
    }

    /**
     * Whether no statement was noted to run what may have run: where it was only parsed; or where somebody gave names another
     * meaning meanwhile, whose lock a statement may have waited for.
     */
    private boolean ranUnseenCode() {
        return !keepsServer && (names.parsedUnknownCode() || (judgedBy != 0 && client.certainCatalog() != judgedBy));
    }

    private void noteCatalog() {
        if (judgedBy == 0) {
            judgedBy = client.certainCatalog(); // where none is certain, each statement counts that names something
        }
    }

    // --- before it is sent -----------------------------------------------------------------------------------------

    /** Notes a statement that is about to be sent as a Query, or to be parsed under no name that is kept. */
    boolean note(ServerConnection linked, Reason reason, int traits, ByteBuf bytes, int start, int end) {
        noteCatalog();
        signals |= traits & (Traits.CANCELS | Traits.TERMINATES);
        creates |= (traits & Traits.CREATES) != 0 && reason != Reason.TEMPORARY_OBJECT;
        writes.note(reason, traits);
        if ((traits & Traits.LOCKS_TRANSACTION) != 0 && !client.grantLock()) {
            return false;
        }
        if ((traits & Traits.ENDS_STATEMENTS) != 0) {
            names.onEndsAll(linked);
        }
        if ((traits & Traits.CHANGES_GLOBALS) != 0) {
            globals().note(bytes, start, end);
        }
        sequences.note(linked, link.pool(), reason, traits);
        if (!keepSequences(reason, bytes, start, end)) {
            return false;
        }
        if (keepsServer) {
            return true;
        }
        if (TemporarySchema.mayTake(client, trace, reason, traits, bytes, start, end)) {
            doubtDefinition(bytes, start, end);
        }
        if (isPlain(reason, traits) && !client.listening().isListening()) {
            return true;
        }
        if ((traits & Traits.RUNS_UNKNOWN_CODE) != 0) {
            ranUnknownCode = true;
            names.onUnknownCode();
            ranHidingCode = ranHidingCode || client.mayRunHidingCode() || HiddenState.isIn(bytes, start, end);
        }
        channels.onSent(traits);
        channels.onStatement(linked, traits);
        if ((traits & Traits.CHANGES_SESSION) == 0) {
            return !reason.pins() || pin(reason, bytes, start, end);
        }
        return noteChanges(linked, reason, bytes, start, end);
    }

    /** The text changes the session: reads what of it. */
    private boolean noteChanges(ServerConnection linked, Reason reason, ByteBuf bytes, int start, int end) {
        SessionTrace changed = trace();
        client.readChanges(bytes, start, end, changed);
        if (changed.takeParsing()) {
            names.parsing().onChange(changed.isParsingUnsettled());
        }
        List<String> named = changed.takeChannels();
        if (channels.areShared()) {
            if (!named.isEmpty() && !client.listening().listenFirst(named)) {
                return false;
            }
            if (changed.takeUnlistens() && client.listening().isListening()) {
                channels.listenHere(linked);
            }
            if (!named.isEmpty()) {
                changed.onListen();
            }
            if (reason == Reason.LISTEN) {
                return true;
            }
        } else if (!named.isEmpty()) {
            channels.setOwn(true);
        }
        Reason kept = reason.pins() ? reason : changed.takeUnnamed() ? Reason.SESSION_SETTING : null;
        return kept == null || pin(kept, bytes, start, end);
    }

    /** Notes a Bind of this statement; null for the unnamed one, and for one that was prepared in a way that was not followed. */
    boolean noteBind(ServerConnection linked, @Nullable NamedStatement named, ByteBuf bytes, int start, int end) {
        boolean sent = true;
        if (named != null) {
            sent = noteNamed(linked, named.statement(), bytes, end);
        } else if (names.bindsUnnamed()) {
            sent = noteUnnamed(linked, bytes, end);
        } else {
            writes.note(Reason.NOT_UNDERSTOOD, Traits.RUNS_UNKNOWN_CODE);
            sequences.note(linked, link.pool(), Reason.NOT_UNDERSTOOD, Traits.RUNS_UNKNOWN_CODE);
        }
        if (sent) {
            sequences.onBound(bytes, start);
        }
        return sent;
    }

    private boolean noteUnnamed(ServerConnection linked, ByteBuf bind, int bindEnd) {
        noteCatalog();
        ByteBuf text = names.unnamedText();
        int traits = names.unnamedTraits() | (client.isUnnamedJudgedNow() ? 0 : Traits.RUNS_UNKNOWN_CODE);
        writes.note(names.unnamedReason(), traits);
        if (text == null || isPlain(names.unnamedReason(), traits)) {
            sequences.note(linked, link.pool(), names.unnamedReason(), 0);
            if (text != null
                    && text.writerIndex() > 0
                    && TemporarySchema.mayTake(client, trace, names.unnamedReason(), text.getByte(0))) {
                doubtDefinition(text, 0, text.writerIndex());
            }
            return text == null || keepSequences(names.unnamedReason(), text, 0, text.writerIndex());
        }
        return noteBound(linked, names.unnamedReason(), traits, text, bind, bindEnd);
    }

    /** Notes a statement that was kept by its name and is about to be bound, or run by a Query that names it. */
    boolean noteNamed(ServerConnection linked, PreparedStatement statement, @Nullable ByteBuf bind, int bindEnd) {
        client.judge(statement);
        noteCatalog();
        writes.note(statement.reason(), statement.traits());
        if (isPlain(statement.reason(), statement.traits())) {
            sequences.note(linked, link.pool(), statement.reason(), 0);
            if (TemporarySchema.mayTake(
                    client, trace, statement.reason(), statement.tail()[0])) {
                doubtDefinition(Unpooled.wrappedBuffer(statement.tail()), 0, statement.textLength());
            }
            return !client.keepsSequences()
                    || keepSequences(
                            statement.reason(), Unpooled.wrappedBuffer(statement.tail()), 0, statement.textLength());
        }
        int end = statement.textLength();
        return noteBound(
                linked,
                statement.reason(),
                statement.traits(),
                Unpooled.wrappedBuffer(statement.tail(), 0, end),
                bind,
                bindEnd);
    }

    /** A statement that is bound need not be executed. */
    private boolean noteBound(
            ServerConnection linked, Reason reason, int traits, ByteBuf text, @Nullable ByteBuf bind, int bindEnd) {
        if (bind != null && (traits & Traits.CHANGES_SESSION) != 0) {
            trace().bound(number -> names.boundText(bind, bindEnd, number));
        }
        boolean sent = note(linked, reason, traits, text, 0, text.writerIndex());
        if (trace != null) {
            trace.bound(null);
            trace.doubtResets();
        }
        return sent;
    }

    /** Notes a FunctionCall. */
    boolean noteCall(ServerConnection linked, int function) {
        Reason reason = CalledFunction.reason(function);
        ranUnknownCode = true;
        ranHidingCode |= client.mayRunHidingCode();
        writes.note(reason, Traits.RUNS_UNKNOWN_CODE);
        sequences.note(linked, link.pool(), reason, CalledFunction.traits(function));
        sequences.onQuery(linked);
        channels.onSent(Traits.RUNS_UNKNOWN_CODE);
        ByteBuf shown = reason.pins() || (reason == Reason.SEQUENCE && client.keepsSequences())
                ? Unpooled.copiedBuffer("FunctionCall \"" + function + '"', StandardCharsets.US_ASCII)
                : null;
        return shown == null || keepsServer || pin(reason, shown, 0, shown.writerIndex());
    }

    /** What is about to be sent may write although its text does not show it. */
    void noteHiddenWrite() {
        writes.note(Reason.REFUSED_BY_STANDBY, Traits.RUNS_UNKNOWN_CODE);
    }

    /** A Query is sent next: what must stand right in front of it goes first. */
    void onQuery(ServerConnection linked) {
        sequences.onQuery(linked);
        channels.onQuery(linked);
    }

    /** The same of an Execute. */
    void onExecute(ServerConnection linked, ByteBuf bytes, int start) {
        sequences.onExecute(linked, bytes, start);
        channels.onExecute(linked);
    }

    /** Something is closed: it may be of what SQL prepared. */
    void onClose() {
        if (pin.mayEnd()) {
            trace().doubtHoldings();
        }
    }

    private static boolean isPlain(Reason reason, int traits) {
        return traits == 0 && !reason.leavesState();
    }

    /** Keeps the server for a client that is to find later what it draws; false when the client was refused. */
    private boolean keepSequences(Reason reason, ByteBuf bytes, int start, int end) {
        return pin.lasts()
                || keepsServer
                || !client.keepsSequences()
                || (reason != Reason.SEQUENCE && !LinkedSequences.mayDraw(reason))
                || pin(Reason.SEQUENCE, bytes, start, end);
    }

    /** State is left in the backend by this statement: the client stays on it until that is gone. */
    private boolean pin(Reason reason, ByteBuf bytes, int start, int end) {
        if (SessionTrace.isTold(reason)) {
            trace().doubtHoldings();
        }
        if (reason == Reason.TEMPORARY_OBJECT) {
            definitions.onTemporary();
        }
        return pin.set(reason, link.pool(), bytes, start, end);
    }

    /** What this statement defines may be temporary: the server is asked. */
    private void doubtDefinition(ByteBuf bytes, int start, int end) {
        trace().doubtHoldings();
        pin.suspect(Reason.TEMPORARY_OBJECT, bytes, start, end);
    }

    // --- what the server says --------------------------------------------------------------------------------------

    /** A statement of the client failed. */
    void onError() {
        if (trace != null) {
            trace.onError();
        }
        if (globals != null) {
            globals.onUndone();
        }
    }

    /** A statement of the client ended. */
    void onTag(@Nullable CommandTag tag) {
        if (trace != null) {
            trace.onTag(tag);
        }
        if (globals != null && tag == CommandTag.ROLLBACK) { // to a savepoint, or of all
            globals.onUndone();
        }
        if (pin.mayEnd() && SessionTrace.mayEndPin(tag)) {
            trace().doubtHoldings();
        }
    }

    /** A statement was deallocated that SQL prepared; or one that is there for all, whose name whoever looks can find. */
    void onDeallocated() {
        ranUnknownCode |= !keepsServer;
        ranHidingCode = true;
    }

    /** A statement of the client gave a name a meaning, which those behind it in its transaction are not judged by. */
    void onDefinition() {
        if (definitions.onAnswered()) {
            names.onSchemaChange();
        }
        ranUnknownCode |= !keepsServer;
        ranHidingCode |= client.mayRunHidingCode();
    }

    /** ReadyForQuery for the client. */
    void onReady(TransactionStatus status) {
        if (creates) {
            creates = link.outstanding() > 0;
            onDefinition();
        }
        if (globals != null) {
            globals.onReady(status, link.outstanding() == 0);
        }
    }

    /** Others are to hear of what was defined. */
    void tellDefined() {
        if (definitions.take()) {
            names.onSchemaChange(); // what was parsed meanwhile did not see it
            client.onDefined();
        }
    }

    /** Which of CANCELS and TERMINATES the transaction has called by name. */
    int signals() {
        return signals;
    }

    /** A transaction is over: in a pipeline each end may be that of the one that wrote. */
    void onTransactionEnd() {
        sequences.onTransactionEnd(link.linked());
        if (link.outstanding() == 0) {
            signals = 0;
        }
        if (writes.isNoted() && !link.linked().isStandby()) {
            client.onCommit(writes.mayBeUnflushed());
            if (link.outstanding() == 0) {
                writes.onEnd();
            }
        }
    }

    /** Whether the client may have something to hear when its transaction ends. */
    boolean mayTell() {
        return channels.mayTell(trace);
    }

    /** Whether the ReadyForQuery that ends a transaction waits for that. */
    boolean withholdsReady(ServerConnection linked) {
        return channels.withholdReady(linked, trace);
    }

    /** The server is lost: what was sent may have been committed there. */
    void onLost() {
        if (writes.isNoted()) {
            client.onCommit(true); // perhaps: others are to see it if it was
        }
        channels.releaseReady();
    }

    /** What we sent in a group of its own failed, and so was not skipped with the client's. */
    void onOwnFailed(ServerConnection linked) {
        linked.sequences().doubt();
        trace().doubtHoldings();
    }

    // --- the trace ---------------------------------------------------------------------------------------------------

    /** The question failed: what the session holds is not known. */
    void onAskedInVain(SessionTrace asked) {
        asked.onFailed();
        channels.releaseReady();
        pin.onUnknown();
    }

    /**
     * What the server still holds of what pinned the client; null for nothing.
     *
     * @param registered what the session is registered for
     * @param exactly whether those are all of the client's channels, and not only what it added
     */
    void onHoldings(@Nullable Reason held, List<String> registered, boolean exactly) {
        if (trace().doubtsHoldings()) {
            return; // more was sent since it was asked: the next answer tells
        }
        Reason kept = held;
        if (channels.areShared()) {
            channels.onRegistered(link.linked(), registered, exactly);
        } else if (registered.isEmpty()) {
            channels.setOwn(false);
        } else if (held == null) {
            kept = Reason.LISTEN;
        }
        channels.releaseReady();
        pin.onTold(kept, link.pool());
    }

    /** The server said what became of a setting; a null value is that of the session's start. */
    void onSettled(String name, @Nullable String value) {
        SessionSettings before = client.settings();
        client.setSettings(value == null ? before.without(name) : before.with(name, value));
    }

    /** Something goes back to the server's start, which need not be the client's. */
    void onReset() {
        settings.onReset();
    }

    /** The client's text makes the session forget what it drew. */
    void onSequencesDiscarded() {
        sequences.onDiscarded(link.linked());
    }

    /** Whether the server says by itself what becomes of the setting. */
    boolean isReported(String setting) {
        return link.linked().reports(setting);
    }

    boolean speaksUtf8() {
        return client.speaksUtf8();
    }

    SessionSettings clientSettings() {
        return client.settings();
    }

    SessionSettings startSettings() {
        return client.startSettings();
    }
}
