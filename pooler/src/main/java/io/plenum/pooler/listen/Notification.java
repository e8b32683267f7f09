package io.plenum.pooler.listen;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.Limits;
import io.plenum.wire.WireReader;
import java.nio.charset.StandardCharsets;

/**
 * What one session notified: a whole NotificationResponse, its channel and payload as the server sent them. Immutable, so
 * that all clients that hear it share it; any thread.
 */
public final class Notification {
    private final byte[] message;
    private final int processId;
    private final String channel;

    private Notification(byte[] message, int processId, String channel) {
        this.message = message;
        this.processId = processId;
        this.channel = channel;
    }

    /** Copies a NotificationResponse out of a receive buffer. */
    static Notification copy(ByteBuf bytes, int start, int end) {
        var fields = new WireReader(bytes, start + Limits.HEADER, end);
        int processId = fields.readInt();
        String channel = fields.readCString();
        byte[] message = new byte[end - start];
        bytes.getBytes(start, message);
        return new Notification(message, processId, channel);
    }

    /** The server process whose transaction notified. */
    public int processId() {
        return processId;
    }

    public String channel() {
        return channel;
    }

    /** The payload; malformed UTF-8 becomes replacement characters, which {@link #writeTo} does not do. */
    public String payload() {
        int from = Limits.HEADER + 4;
        while (message[from] != 0) {
            from++;
        }
        from++;
        return new String(message, from, message.length - 1 - from, StandardCharsets.UTF_8);
    }

    /** The whole message in bytes. */
    public int size() {
        return message.length;
    }

    /** Appends the message as the server sent it. */
    public void writeTo(ByteBuf out) {
        out.writeBytes(message);
    }

    /** Appends the message with another process: a client that notified itself knows the one of its own login. */
    public void writeTo(ByteBuf out, int processId) {
        int start = out.writerIndex();
        out.writeBytes(message);
        out.setInt(start + Limits.HEADER, processId);
    }

    @Override
    public String toString() {
        return "%s from %d, %d bytes".formatted(channel, processId, message.length);
    }
}
