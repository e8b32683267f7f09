package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import java.nio.charset.StandardCharsets;

/**
 * Sends messages on that name a statement, with another name in its place: the server's towards the server, the client's in an
 * error. Nothing is copied but the names, and what of an error stands around them. Indexes are into the bytes that are lent.
 */
final class RenamedMessages {
    private static final byte[] FOREIGN_NAME = "PLENUM_".getBytes(StandardCharsets.US_ASCII);

    private RenamedMessages() {}

    /** A message went out under another name than the client gave: an error must say the client's. */
    record Renamed(byte[] ours, byte[] theirs) {}

    /** Sends on a message with the name of the statement on servers. */
    static void forward(
            ServerConnection linked,
            ByteBuf bytes,
            int start,
            int nameStart,
            int nameEnd,
            int end,
            PreparedStatement statement) {
        Outbox outbox = linked.outbox();
        int grown = statement.nameLength() - (nameEnd - nameStart);
        ByteBuf out = outbox.writer();
        out.writeByte(bytes.getByte(start)).writeInt(bytes.getInt(start + 1) + grown);
        out.writeBytes(bytes, start + 5, nameStart - start - 5); // the portal's name, or the S of Describe
        statement.writeName(out);
        if (nameEnd + 1 < end) {
            outbox.forward(bytes, nameEnd + 1, end);
        }
    }

    /** A name the client never prepared goes as it is, unless it looks like one of ours: those it must not reach. */
    static void forwardUnknown(
            ServerConnection linked, Reply reply, ByteBuf bytes, int start, int nameStart, int nameEnd, int end) {
        boolean ours = nameEnd - nameStart >= FOREIGN_NAME.length;
        for (int i = 0; ours && i < FOREIGN_NAME.length; i++) {
            ours = bytes.getByte(nameStart + i) == FOREIGN_NAME[i];
        }
        if (!ours) {
            linked.replies().add(reply, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
            return;
        }
        byte[] theirs = ByteBufUtil.getBytes(bytes, nameStart, nameEnd - nameStart);
        byte[] sent = new byte[theirs.length + 1];
        sent[0] = '_';
        System.arraycopy(theirs, 0, sent, 1, theirs.length);
        linked.replies().add(reply, Origin.CLIENT, new Renamed(sent, theirs));
        ByteBuf out = linked.outbox().writer();
        out.writeByte(bytes.getByte(start)).writeInt(bytes.getInt(start + 1) + 1);
        out.writeBytes(bytes, start + 5, nameStart - start - 5).writeByte('_');
        linked.outbox().forward(bytes, nameStart, end);
    }

    /** Where an error has our name for a statement; negative where it has none, or only its first part is at hand. */
    static int find(ByteBuf bytes, int start, int end, byte[] ours) {
        int last = end - ours.length - 1;
        int at = start + 5;
        while (at <= last && !isAt(bytes, at, ours)) {
            at++;
        }
        return at > last || bytes.getInt(start + 1) != end - start - 1 ? -1 : at;
    }

    /** Whether the name stands here, and not as the beginning of a longer one. */
    private static boolean isAt(ByteBuf bytes, int at, byte[] name) {
        for (int i = 0; i < name.length; i++) {
            if (bytes.getByte(at + i) != name[i]) {
                return false;
            }
        }
        byte next = bytes.getByte(at + name.length);
        return next < '0' || next > '9';
    }

    /** Appends an error with another name in the place of the one of {@code length} bytes that it has at {@code at}. */
    static void writeError(ByteBuf out, ByteBuf bytes, int start, int end, int at, int length, byte[] name) {
        out.writeByte(bytes.getByte(start)).writeInt(bytes.getInt(start + 1) + name.length - length);
        out.writeBytes(bytes, start + 5, at - start - 5).writeBytes(name);
        out.writeBytes(bytes, at + length, end - at - length);
    }
}
