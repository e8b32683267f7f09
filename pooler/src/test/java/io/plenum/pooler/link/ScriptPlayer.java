package io.plenum.pooler.link;

import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;

/** Plays one wire script on one session and writes down every message that comes back. */
final class ScriptPlayer {
    /** FirstNormalObjectId of PostgreSQL. */
    private static final int FIRST_OF_USERS = 16384;

    private static final Pattern TEMPORARY_SCHEMA = Pattern.compile("pg_temp_\\d+");

    /** How the bytes of one send are cut into writes. */
    enum Segments {
        WHOLE,
        BYTES,
        RANDOM;

        void send(WireClient client, byte[] all, Random random) throws IOException {
            int at = 0;
            while (at < all.length) {
                int length = switch (this) {
                    case WHOLE -> all.length;
                    case BYTES -> at < 2_000 ? 1 : 997; // a large message need not be cut to the last byte
                    case RANDOM -> 1 + random.nextInt(40);
                };
                int end = Math.min(all.length, at + length);
                client.sendPart(all, at, end);
                at = end;
            }
        }
    }

    /** What happens on other sessions of the pool while this one is between two of its transactions. */
    interface Strangers {
        void meanwhile() throws IOException;
    }

    private final WireClient client;
    private final Segments segments;
    private final Strangers strangers;
    private final Random random = new Random(7);
    private final List<String> transcript = new ArrayList<>();

    ScriptPlayer(WireClient client, Segments segments, Strangers strangers) {
        this.client = client;
        this.segments = segments;
        this.strangers = strangers;
    }

    List<String> transcript() {
        return transcript;
    }

    WireClient client() {
        return client;
    }

    /** Sends all frames, cut as this player cuts. */
    ScriptPlayer send(byte[]... frames) throws IOException {
        segments.send(client, Frames.join(frames), random);
        return this;
    }

    /** Reads up to this many ReadyForQuery; when the last says idle, strangers use the pool. */
    ScriptPlayer ready(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            until('Z');
        }
        if (client.transactionStatus() == 'I') {
            strangers.meanwhile();
        }
        return this;
    }

    ScriptPlayer ready() throws IOException {
        return ready(1);
    }

    /** Reads up to and with the next message of this type. */
    ScriptPlayer until(char type) throws IOException {
        Message message;
        do {
            message = client.read();
            transcript.add(normalised(message));
        } while (message.type() != type);
        return this;
    }

    /** Reads until the other side closes. */
    ScriptPlayer end() throws IOException {
        try {
            while (true) {
                transcript.add(normalised(client.read()));
            }
        } catch (EOFException | SocketException closed) {
            transcript.add("closed");
        }
        return this;
    }

    /** Simple Query and its answer. */
    ScriptPlayer query(String sql) throws IOException {
        return send(Frames.query(sql)).ready();
    }

    /**
     * Every byte, as text that a person can compare. Left out are what differs between two sessions of one server: source
     * line and routine of an error, numbers of tables, of temporary schemas and of processes.
     */
    static String normalised(Message message) {
        if (message.type() == 'E' || message.type() == 'N') {
            var text = new StringBuilder().append(message.type());
            for (char field : "SVCMDHPpqWsctdn".toCharArray()) {
                String value = message.field(field);
                if (value != null) {
                    text.append(' ').append(field).append('=').append(value);
                }
            }
            return TEMPORARY_SCHEMA.matcher(text).replaceAll("pg_temp_N");
        }
        byte[] body = switch (message.type()) {
            case 'T' -> withoutTables(message.body());
            case 'A' -> withoutSender(message.body());
            default -> message.body();
        };
        return message.type() + " " + new String(body, StandardCharsets.ISO_8859_1).replace('\0', '~');
    }

    /** A NotificationResponse whose sender has the process number 0. */
    private static byte[] withoutSender(byte[] body) {
        return ByteBuffer.wrap(body.clone()).putInt(0, 0).array();
    }

    /** A RowDescription in which each table that is no system table has the number 0. */
    private static byte[] withoutTables(byte[] body) {
        byte[] copy = body.clone();
        var fields = ByteBuffer.wrap(copy);
        for (int left = fields.getShort(); left > 0; left--) {
            while (fields.get() != 0) {
                // the position moves behind the name
            }
            if (Integer.compareUnsigned(fields.getInt(fields.position()), FIRST_OF_USERS) >= 0) {
                fields.putInt(fields.position(), 0);
            }
            fields.position(fields.position() + 18); // table, column, type, size, modifier, format
        }
        return copy;
    }
}
