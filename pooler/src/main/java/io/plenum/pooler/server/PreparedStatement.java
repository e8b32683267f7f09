package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.Reason;
import io.plenum.routing.TransactionCommand;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A statement text with its parameter types, under the one name that it has on every server.
 *
 * <p>Clients choose names that clash; servers are shared. So a client's name maps to this object, and this object's
 * name is what servers hear. Immutable but for its successor and what it
 * is judged to be; any thread.
 */
public final class PreparedStatement {
    private final byte[] name;
    private final byte[] tail;
    private final @Nullable String parsedBy;
    private volatile Judgement judgement;
    private volatile @Nullable PreparedStatement successor;
    private volatile @Nullable TransactionCommand command;

    /**
     * What the text is, by what its names meant.
     *
     * @param catalog {@link io.plenum.routing.Catalog#version} of what they meant
     */
    private record Judgement(Reason reason, int traits, long catalog) {}

    /**
     * @param number unique in this process
     * @param tail what follows the name in Parse: text, NUL, parameter types
     * @param parsedBy {@link SessionSettings#parsing} of the sessions that share it; null for one that is a client's alone, which
     *     has other settings by now
     */
    public PreparedStatement(
            long number, byte[] tail, @Nullable String parsedBy, Reason reason, int traits, long catalog) {
        this.name = ("PLENUM_" + number).getBytes(StandardCharsets.US_ASCII);
        this.tail = tail;
        this.parsedBy = parsedBy;
        this.judgement = new Judgement(reason, traits, catalog);
    }

    /** It is this now, for names have another meaning. */
    public void judge(Reason reason, int traits, long catalog) {
        judgement = new Judgement(reason, traits, catalog);
    }

    /** The {@link io.plenum.routing.Catalog#version} by which it was judged. */
    public long catalog() {
        return judgement.catalog();
    }

    public Reason reason() {
        return judgement.reason();
    }

    /** The {@link io.plenum.routing.Traits} of the text. */
    public int traits() {
        return judgement.traits();
    }

    /** What it is about a transaction, as far as somebody has looked; null before. */
    public @Nullable TransactionCommand command() {
        return command;
    }

    public void setCommand(TransactionCommand command) {
        this.command = command;
    }

    /** The name without the NUL behind it; not to be changed. */
    public byte[] name() {
        return name;
    }

    /** Length of the name, without the NUL behind it. */
    public int nameLength() {
        return name.length;
    }

    /** Appends the name and its NUL. */
    public void writeName(ByteBuf out) {
        out.writeBytes(name).writeByte(0);
    }

    /** Appends Parse of this statement under its own name. */
    public void writeParse(ByteBuf out) {
        out.writeByte('P').writeInt(4 + name.length + 1 + tail.length);
        writeName(out);
        out.writeBytes(tail);
    }

    /** Appends Close of this statement. */
    public void writeClose(ByteBuf out) {
        out.writeByte('C').writeInt(4 + 1 + name.length + 1).writeByte('S');
        writeName(out);
    }

    /** What follows the name in Parse; not to be changed. */
    public byte[] tail() {
        return tail;
    }

    /** What {@link SessionSettings#parsing} a session must have that parses it; null where none may do so again. */
    public @Nullable String parsedBy() {
        return parsedBy;
    }

    /** Whether servers should no longer be asked to run it under this name. */
    public boolean isOutdated() {
        return successor != null;
    }

    /** The same text under the name that is to be used now. */
    public PreparedStatement current() {
        PreparedStatement statement = this;
        for (PreparedStatement next = successor; next != null; next = next.successor) {
            statement = next;
        }
        return statement;
    }

    public void replaceBy(PreparedStatement successor) {
        this.successor = successor;
    }

    /** Length of the text, which {@link #tail()} begins with. */
    public int textLength() {
        int end = 0;
        while (end < tail.length && tail[end] != 0) {
            end++;
        }
        return end;
    }

    /** Text of the statement, for the console. */
    public String text() {
        return new String(tail, 0, textLength(), StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return new String(name, StandardCharsets.US_ASCII);
    }
}
