package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
import io.plenum.routing.TransactionCommand;
import io.plenum.wire.Limits;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.ParseView;
import io.plenum.wire.frontend.TargetView;
import org.jspecify.annotations.Nullable;

/**
 * The statement about a transaction that a batch begins with, if it begins with one: a Query that is nothing else, or Parse,
 * Bind and Execute without parameters and by the unnamed portal. Drivers send BEGIN so, alone or in one group with what the
 * transaction begins with.
 *
 * <pre>
 * START -> PARSED -> BOUND -> RUN -> ALONE     START -> BOUND: was prepared before     any -> OTHER
 * </pre>
 *
 * <p>Is shown the messages of a batch in their order, in place, and knows them until the bytes change. Confined to its event
 * loop.
 */
public final class LeadingCommand {
    private enum Stage {
        START,
        PARSED,
        BOUND,
        /** It runs, and more of its group may follow. */
        RUN,
        /** The batch is nothing but this. */
        ALONE,
        OTHER
    }

    private Stage stage = Stage.OTHER;
    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
    private int start;
    private int end;
    private int messageEnd;
    private int runEnd;
    private int nameStart;
    private int nameEnd;
    private int textStart;
    private int textEnd;
    /** What is bound, if it was prepared before. */
    private @Nullable PreparedStatement prepared;

    private boolean parses;
    private boolean closesPortal;
    private Reason reason = Reason.EMPTY;
    private int traits;
    private TransactionCommand command = TransactionCommand.NONE;

    // --- the messages of the batch -----------------------------------------------------------------------------------

    /** A batch begins here. */
    public void begin(ByteBuf bytes, int start) {
        this.bytes = bytes;
        this.start = start;
        stage = Stage.START;
        prepared = null;
        parses = false;
        closesPortal = false;
        runEnd = -1;
        command = TransactionCommand.NONE;
    }

    private void is(Reason reason, int traits, TransactionCommand command, int textStart, int textEnd) {
        this.reason = reason;
        this.traits = traits;
        this.command = command;
        this.textStart = textStart;
        this.textEnd = textEnd;
    }

    /** A Query; {@code end} is behind it. */
    public void onQuery(Reason reason, int traits, TransactionCommand command, int end) {
        if (stage != Stage.START || command == TransactionCommand.NONE) {
            skip();
            return;
        }
        is(reason, traits, command, start + Limits.HEADER, end - 1);
        this.end = end;
        stage = Stage.ALONE;
    }

    /** A Parse; {@code end} is behind it. */
    public void onParse(ParseView parse, Reason reason, int traits, TransactionCommand command, int end) {
        boolean plain = parse.isWhole() && parse.typesEnd() - parse.typesStart() == Short.BYTES;
        if (stage != Stage.START || command == TransactionCommand.NONE || !plain) {
            skip();
            return;
        }
        is(reason, traits, command, parse.queryStart(), parse.queryEnd());
        nameStart = parse.nameStart();
        nameEnd = parse.nameEnd();
        messageEnd = end;
        parses = true;
        stage = Stage.PARSED;
    }

    /** Whether a Bind of what was prepared before may be the first message of it. */
    public boolean isAwaited() {
        return stage == Stage.START;
    }

    /** A Bind; {@code named} is what it names if that was prepared before, and {@code command} what that is. */
    public void onBind(BindView bind, @Nullable PreparedStatement named, TransactionCommand command, int end) {
        if (!bind.isPortalUnnamed() || hasValues(bind.statementEnd() + 1, end)) {
            skip();
        } else if (stage == Stage.PARSED && isSameName(bind.statementStart(), bind.statementEnd())) {
            stage = Stage.BOUND;
        } else if (stage == Stage.START && named != null && command != TransactionCommand.NONE && hasNoTypes(named)) {
            is(named.reason(), named.traits(), command, 0, named.textLength());
            prepared = named;
            nameStart = bind.statementStart();
            nameEnd = bind.statementEnd();
            stage = Stage.BOUND;
        } else {
            skip();
        }
    }

    private static boolean hasNoTypes(PreparedStatement statement) {
        return statement.tail().length == statement.textLength() + 1 + Short.BYTES;
    }

    private boolean isSameName(int from, int to) {
        return to - from == nameEnd - nameStart && ByteBufUtil.equals(bytes, from, bytes, nameStart, to - from);
    }

    /** Whether what stands behind the names of a Bind is more than formats: one at most for values, any for results. */
    private boolean hasValues(int at, int end) {
        if (end - at < Short.BYTES || bytes.getUnsignedShort(at) > 1) {
            return true;
        }
        int values = at + Short.BYTES * (1 + bytes.getUnsignedShort(at));
        if (end - values < 2 * Short.BYTES || bytes.getUnsignedShort(values) != 0) {
            return true;
        }
        int results = values + Short.BYTES;
        return results + Short.BYTES * (1 + bytes.getUnsignedShort(results)) != end;
    }

    /** A Describe. */
    public void onDescribe(TargetView describe) {
        boolean known = describe.isStatement()
                ? (stage == Stage.PARSED || stage == Stage.BOUND)
                        && isSameName(describe.nameStart(), describe.nameEnd())
                : (stage == Stage.BOUND || stage == Stage.RUN) && describe.isUnnamed() && !closesPortal;
        if (!known) {
            skip();
        }
    }

    /** The Execute at {@code at}; says whether it runs the command. */
    public boolean onExecute(int at, int end) {
        boolean runs = stage == Stage.BOUND
                && end - at == Limits.HEADER + 1 + Integer.BYTES
                && bytes.getByte(at + Limits.HEADER) == 0;
        stage = runs ? Stage.RUN : Stage.OTHER;
        runEnd = runs ? end : runEnd;
        return runs;
    }

    /** The Close at {@code at}. */
    public void onClose(int at, int end) {
        boolean ofPortal = stage == Stage.RUN
                && end - at == Limits.HEADER + 2
                && bytes.getByte(at + Limits.HEADER) == 'P'
                && bytes.getByte(at + Limits.HEADER + 1) == 0;
        closesPortal |= ofPortal;
        if (!ofPortal) {
            skip();
        }
    }

    /** The Sync at {@code at}; says whether the batch is the command and nothing else. */
    public boolean onSync(int at, int end) {
        stage = stage == Stage.RUN && end - at == Limits.HEADER ? Stage.ALONE : Stage.OTHER;
        this.end = end;
        return stage == Stage.ALONE;
    }

    /** Any other message, or what is still to come is none of its. */
    public void skip() {
        stage = Stage.OTHER;
    }

    // --- what it is --------------------------------------------------------------------------------------------------

    public TransactionCommand command() {
        return command;
    }

    public Reason reason() {
        return reason;
    }

    /** Whether the batch is the command and nothing else. */
    boolean isAlone() {
        return stage == Stage.ALONE;
    }

    /** Whether the batch only sets modes of the transaction that every node has. */
    public boolean setsModes() {
        return isAlone() && reason == Reason.TRANSACTION_MODES;
    }

    /** Behind what runs the command, in a group; where the batch begins if it does not begin with one. */
    public int behind() {
        return runEnd < 0 ? start : runEnd;
    }

    /** Behind the last message of a batch that is {@linkplain #isAlone alone}. */
    public int batchEnd() {
        return end;
    }

    /** Whether the batch is a Query. */
    boolean isQuery() {
        return bytes.getByte(start) == 'Q';
    }

    /** Whether it begins a transaction whose statements have each a snapshot of its own, unless that is the session's default. */
    public boolean mayBeTentative() {
        return command.opens() && reason == Reason.TRANSACTION && (traits & Traits.KEEPS_SNAPSHOT) == 0;
    }

    /** Whether it is the client's unnamed statement from now on. */
    public boolean parses() {
        return parses;
    }

    /** Whether it leaves the unnamed portal behind, where it may be asked about. */
    boolean leavesPortal() {
        return !isQuery() && !closesPortal;
    }

    /**
     * Whether no server need see it: it gives no statement a name, which only a server can refuse; no hint asks for a node; no
     * comment can be refused for its encoding; and its end is where it should be.
     */
    boolean isPlain() {
        boolean names = parses && nameStart != nameEnd;
        boolean hinted = (traits & (Traits.HINTS_PRIMARY | Traits.HINTS_REPLICA)) != 0;
        int at = textStart;
        while (at < textEnd && textByte(at) > 0) {
            at++;
        }
        return !names && !hinted && at == textEnd && textByte(at) == 0;
    }

    private byte textByte(int at) {
        return prepared == null ? bytes.getByte(at) : prepared.tail()[at];
    }

    /** Bytes of the text with its NUL. */
    int textSize() {
        return textEnd + 1 - textStart;
    }

    /** Copies the text with its NUL. */
    void copyText(byte[] into, int at) {
        if (prepared == null) {
            bytes.getBytes(textStart, into, at, textSize());
        } else {
            System.arraycopy(prepared.tail(), textStart, into, at, textSize());
        }
    }

    /** The Parse is kept as the client's unnamed statement, whose server is to be none. */
    void keepIn(UnnamedStatement unnamed) {
        unnamed.parseUnsent(bytes, textStart, messageEnd, reason, traits);
    }

    // --- its answer --------------------------------------------------------------------------------------------------

    /** Answers each message of a batch that is {@linkplain #isAlone alone}, as a server would. */
    void answer(LinkedClient client, String tag, TransactionStatus status) {
        ByteBuf out = client.outbox().writer();
        int at = start;
        while (at < end) {
            switch (bytes.getByte(at)) {
                case 'Q' -> {
                    BackendMessages.commandComplete(out, tag);
                    answerReady(client, status);
                }
                case 'P' -> {
                    BackendMessages.parseComplete(out);
                    client.stats().clientParses++;
                }
                case 'B' -> {
                    BackendMessages.bindComplete(out);
                    client.stats().binds++;
                }
                case 'D' -> {
                    if (bytes.getByte(at + Limits.HEADER) == 'S') {
                        BackendMessages.parameterDescription(out);
                    }
                    BackendMessages.noData(out);
                }
                case 'E' -> BackendMessages.commandComplete(out, tag);
                case 'C' -> BackendMessages.closeComplete(out);
                case 'S' -> answerReady(client, status);
                default -> throw new IllegalStateException("no message of a command");
            }
            at += 1 + bytes.getInt(at + 1);
        }
        client.stats().queries++;
    }

    /** A client that listens hears at the end of its transaction what was notified meanwhile. */
    private static void answerReady(LinkedClient client, TransactionStatus status) {
        if (status == TransactionStatus.IDLE) {
            client.listening().tellNotifications(false);
        }
        BackendMessages.readyForQuery(client.outbox().writer(), status);
    }
}
