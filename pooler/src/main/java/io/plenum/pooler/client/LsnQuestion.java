package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.link.Link;
import io.plenum.routing.Reason;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.frontend.ParseView;
import java.nio.charset.StandardCharsets;

/**
 * {@code SHOW plenum.lsn}: a position that has all the client's commits, for others to name in {@code plenum.min_lsn}. No
 * server knows the setting; the primary is asked for its position instead, in the form in which the client asks.
 */
record LsnQuestion(ByteBuf bytes, int start, int end) {
    private static final byte[] ASKED = "show plenum.lsn".getBytes(StandardCharsets.US_ASCII);

    /** Behind all that is written: the session may have committed without a flush. */
    private static final byte[] SQL = """
        SELECT (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
        ELSE pg_catalog.pg_current_wal_insert_lsn() END)::pg_catalog.text AS "plenum.lsn"\
        """.getBytes(StandardCharsets.US_ASCII);

    /** Whether the Query or Parse asks this and nothing else; any case, with a semicolon behind it or not. */
    static boolean isAsked(FrontendType type, ByteBuf bytes, int start, int end, Step step) {
        if (step != Step.WHOLE) {
            return false;
        }
        if (type == FrontendType.QUERY) {
            return isAsked(bytes, start + Limits.HEADER, end - 1);
        }
        var parse = new ParseView();
        parse.at(bytes, start, end);
        return isAsked(bytes, parse.queryStart(), parse.queryEnd());
    }

    private static boolean isAsked(ByteBuf bytes, int start, int end) {
        int last = end;
        while (last > start && isBlank(bytes.getByte(last - 1))) {
            last--;
        }
        int first = start;
        while (first < last && isBlank(bytes.getByte(first))) {
            first++;
        }
        if (last - first != ASKED.length) {
            return false;
        }
        for (int i = 0; i < ASKED.length; i++) {
            if (Character.toLowerCase((char) bytes.getByte(first + i)) != ASKED[i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBlank(byte character) {
        return character == ' ' || character == ';' || character == '\n' || character == '\r' || character == '\t';
    }

    /** Sends what PostgreSQL understands in the place of the client's message. */
    void sendTo(Link link) {
        boolean simple = bytes.getByte(start) == FrontendType.QUERY.code();
        ByteBuf message = Unpooled.buffer(SQL.length + 64);
        message.writeByte(bytes.getByte(start)).writeInt(0);
        if (!simple) {
            var parse = new ParseView();
            parse.at(bytes, start, end);
            message.writeBytes(bytes, parse.nameStart(), parse.nameEnd() - parse.nameStart())
                    .writeByte(0);
        }
        message.writeBytes(SQL).writeByte(0);
        if (!simple) {
            message.writeShort(0);
        }
        message.setInt(1, message.writerIndex() - 1);
        link.onMessage(
                simple ? FrontendType.QUERY : FrontendType.PARSE,
                message,
                0,
                message.writerIndex(),
                true,
                Reason.NODE_LOCAL,
                0);
        link.flushToServer(); // which the buffer is lent until
    }
}
