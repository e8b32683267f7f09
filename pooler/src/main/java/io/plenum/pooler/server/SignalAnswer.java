package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.ServerConnection.Reader;
import io.plenum.wire.BackendType;
import io.plenum.wire.Limits;
import io.plenum.wire.error.ErrorResponse;

/**
 * The answer of a server that was to signal a process which it does not have, for it is a client of ours: that was told instead, so
 * nobody hears of the process that is missing, and the {@code false} that the call gives is made {@code true}. Confined to the
 * server's event loop.
 */
final class SignalAnswer {
    /** A client of ours was signalled, and the server is still to say that it has found no process. */
    private boolean due;

    boolean isDue() {
        return due;
    }

    /** Whether the server says that it does not have the process that it was to signal. */
    static boolean isMissed(ErrorResponse notice) {
        return "pg_signal_backend".equals(notice.routine());
    }

    /** The server has said so; whether the process is a client, which is told by {@code reader}. */
    boolean begin(ErrorResponse notice, Reader reader) {
        due = reader.onNoSuchProcess(number(notice.message()));
        return due;
    }

    /** The first number in a text, in whatever language that is; 0 where there is none. */
    private static int number(String text) {
        int number = 0;
        for (int i = 0; i < text.length(); i++) {
            char digit = text.charAt(i);
            if (digit >= '0' && digit <= '9') {
                number = number * 10 + digit - '0';
            } else if (number != 0) {
                break;
            }
        }
        return number;
    }

    /** The message that is for the client now: makes a row of nothing but false one of true, as text or binary. */
    void affirm(ByteBuf bytes, int start, int end) {
        due = false;
        int columns = start + Limits.HEADER;
        int length = columns + Short.BYTES;
        int value = length + Integer.BYTES;
        if (bytes.getByte(start) == BackendType.DATA_ROW.code()
                && end == value + 1
                && bytes.getShort(columns) == 1
                && bytes.getInt(length) == 1) {
            byte said = bytes.getByte(value);
            if (said == 'f' || said == 0) {
                bytes.setByte(value, said == 'f' ? 't' : 1);
            }
        }
    }

    /** The statement that called is over. */
    void end() {
        due = false;
    }
}
