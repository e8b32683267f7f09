package io.plenum.wire.recording;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.NegotiateProtocolVersion;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.startup.StartupPacket;
import io.plenum.wire.startup.StartupPacket.Startup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * What a real server makes of startup packets, right ones and wrong ones, and what our parser makes of them.
 *
 * <p>As a program: {@code record PORT FILE} writes the packets of {@link #corpus} and a PostgreSQL 18's answers to the
 * file that the tests read; {@code compare PORT SEED COUNT} asks a server for so many other packets and prints where we
 * differ. The server lets everybody in, replication too, and has no TLS.
 */
public final class StartupOutcomes {
    private static final String CLOSED = "closed";

    private StartupOutcomes() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[1]);
        if (arguments[0].equals("record")) {
            StringBuilder text = new StringBuilder("# packet, then what PostgreSQL 18 answered\n");
            for (byte[] packet : corpus(18, 400)) {
                text.append(HexFormat.of().formatHex(packet))
                        .append(' ')
                        .append(ofServer(port, packet))
                        .append('\n');
            }
            Files.writeString(Path.of(arguments[2]), text);
            return;
        }
        int different = 0;
        List<byte[]> packets = corpus(Long.parseLong(arguments[2]), Integer.parseInt(arguments[3]));
        for (byte[] packet : packets) {
            String server = ofServer(port, packet);
            String ours = ours(packet);
            if (!agree(server, ours)) {
                different++;
                System.out.printf("%s%n  server: %s%n  ours:   %s%n", ByteBufUtil.hexDump(packet), server, ours);
            }
        }
        System.out.printf("startup packets: compared=%d different=%d%n", packets.size(), different);
    }

    /**
     * Whether both took or refused the packet for the same reason. A server also knows roles, databases and settings,
     * and may refuse for their sake what we have to take.
     */
    public static boolean agree(String server, String ours) {
        if (server.equals(ours)) {
            return true;
        }
        if (ours.startsWith("refused 22021")) {
            return true; // bytes that are no text, which we refuse at once and the server wherever it comes upon them
        }
        if (server.endsWith(ours) && ours.startsWith("refused") && server.startsWith("negotiated")) {
            return true; // the server negotiates even with a client that names no user
        }
        int known = server.indexOf(" then ");
        if (known < 0 || !ours.startsWith(server.substring(0, known))) {
            return false;
        }
        String serverThen = server.substring(known + " then ".length());
        String oursThen = ours.substring(known + " then ".length());
        return switch (serverThen) {
            case "ready" -> oursThen.equals("ready");
            // Of several faults the server may name another one first, such as a setting that we do not know of.
            case "42601", "42602" -> !oursThen.equals("ready");
            // No such role, no such database: said before any setting is looked at.
            case "28000", "3D000" -> true;
            default -> true;
        };
    }

    /** What our parser makes of a packet, in the words of {@link #ofServer}. */
    public static String ours(byte[] packet) {
        ByteBuf bytes = Unpooled.wrappedBuffer(packet);
        try {
            if (StartupPacket.lengthAt(bytes, 0) != packet.length) {
                return CLOSED;
            }
        } catch (ProtocolException e) {
            return CLOSED;
        }
        try {
            return switch (StartupPacket.parse(bytes, 0, packet.length)) {
                case StartupPacket.Ssl _, StartupPacket.GssEncryption _ -> "N";
                case StartupPacket.Cancel _ -> CLOSED;
                case Startup startup -> negotiation(startup) + "accepted then " + settings(startup);
            };
        } catch (ProtocolException e) {
            if (String.valueOf(e.getMessage()).contains("cancel")) {
                return CLOSED;
            }
            return "refused " + e.sqlState().code() + " " + e.getMessage();
        }
    }

    private static String negotiation(Startup startup) {
        var unknown = startup.parameters().unknownProtocolOptions();
        if (startup.version().equals(startup.version().negotiated()) && unknown.isEmpty()) {
            return "";
        }
        return "negotiated " + startup.version().negotiated() + " " + unknown + " ";
    }

    private static String settings(Startup startup) {
        try {
            startup.parameters().settings();
            return "ready";
        } catch (ProtocolException e) {
            return e.sqlState().code();
        }
    }

    /** What a server makes of a packet: closes, refuses, or accepts, and then is ready or fails with some SQLSTATE. */
    static String ofServer(int port, byte[] packet) throws IOException {
        ByteBuf answer = Unpooled.wrappedBuffer(answer(port, packet));
        if (answer.readableBytes() == 1) {
            return Character.toString(answer.getByte(0));
        }
        String text = answer.toString(StandardCharsets.ISO_8859_1);
        if (text.startsWith("EFATAL:  ")) { // to protocols 1 and 2 the server speaks their language
            return "refused 0A000 " + text.substring("EFATAL:  ".length(), text.indexOf('\n'));
        }
        StringBuilder outcome = new StringBuilder();
        while (answer.isReadable()) {
            byte type = answer.readByte();
            int end = answer.readerIndex() + answer.getInt(answer.readerIndex());
            int body = answer.readerIndex() + 4;
            switch (type) {
                case 'v' -> {
                    var negotiated = NegotiateProtocolVersion.parse(answer, body, end);
                    outcome.append("negotiated %s %s ".formatted(negotiated.version(), negotiated.unknown()));
                }
                case 'R' -> outcome.append("accepted then ");
                case 'Z' -> {
                    return outcome.append("ready").toString();
                }
                case 'E' -> {
                    ErrorResponse error = ErrorResponse.parse(answer, body, end);
                    boolean accepted = outcome.toString().endsWith("then ");
                    return outcome.append(accepted ? error.code() : "refused " + error.code() + " " + error.message())
                            .toString();
                }
                default -> {}
            }
            answer.readerIndex(end);
        }
        return outcome.append(CLOSED).toString();
    }

    private static byte[] answer(int port, byte[] packet) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(packet);
            socket.shutdownOutput();
            return socket.getInputStream().readAllBytes();
        } catch (SocketException e) {
            return new byte[0]; // reset: it closed before it had read all
        }
    }

    /** Packets made of right ones by small damage; the same for the same seed. */
    static List<byte[]> corpus(long seed, int count) {
        Random random = new Random(seed);
        List<byte[]> packets = new ArrayList<>();
        List<byte[]> seeds = seeds();
        packets.addAll(seeds);
        seeds.removeIf(packet -> packet.length > 1000); // damage is as good in a short packet
        while (packets.size() < count) {
            byte[] packet = seeds.get(random.nextInt(seeds.size())).clone();
            for (int damage = random.nextInt(3); damage >= 0; damage--) {
                packet = damaged(packet, random);
            }
            packets.add(packet);
        }
        return packets;
    }

    private static byte[] damaged(byte[] packet, Random random) {
        int at = packet.length <= 8 ? packet.length : 8 + random.nextInt(packet.length - 8);
        byte[] some = {0, 0, 'x', '\\', ' ', '-', '=', '.', 'c', (byte) 0x80, (byte) 0xff};
        byte value = some[random.nextInt(some.length)];
        return switch (random.nextInt(6)) {
            case 0 ->
                packet(
                        slice(packet, 4, at),
                        new byte[] {value},
                        slice(packet, Math.min(at + 1, packet.length), packet.length));
            case 1 -> packet(slice(packet, 4, at), new byte[] {value}, slice(packet, at, packet.length));
            case 2 -> packet(slice(packet, 4, at), slice(packet, Math.min(at + 1, packet.length), packet.length));
            case 3 -> packet(slice(packet, 4, at));
            case 4 -> {
                byte[] version = packet.clone();
                if (version.length >= 8) {
                    version[5 + random.nextInt(3)] = (byte) random.nextInt(5);
                }
                yield version;
            }
            default -> {
                byte[] length = packet.clone();
                length[3] += (byte) (random.nextInt(7) - 3);
                // A server waits for bytes that are promised, and takes bytes beyond for the next message: both would
                // need a longer conversation than this one, so only lengths that no packet has.
                boolean impossible =
                        length[0] == 0 && length[1] == 0 && length[2] == 0 && length[3] >= 0 && length[3] < 8;
                yield impossible ? length : packet;
            }
        };
    }

    private static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        seeds.add(startup(3, 0));
        seeds.add(startup(3, 0, "user", "postgres"));
        seeds.add(startup(3, 0, "user", ""));
        seeds.add(startup(3, 0, "database", "postgres"));
        seeds.add(startup(3, 0, "user", "postgres", "database", ""));
        seeds.add(startup(3, 0, "user", "x", "user", "postgres"));
        seeds.add(startup(2, 0, "user", "postgres"));
        seeds.add(startup(4, 0, "user", "postgres"));
        seeds.add(startup(0, 0));
        seeds.add(startup(3, 1, "user", "postgres"));
        seeds.add(startup(3, 2, "user", "postgres"));
        seeds.add(startup(3, 3, "user", "postgres"));
        seeds.add(startup(3, 9999, "user", "postgres", "_pq_.a", "b"));
        seeds.add(startup(3, 0, "user", "postgres", "_pq_.", "", "_pq_.c", "d"));
        seeds.add(startup(3, 1, "user", "postgres", "_pq_.test", ""));
        for (String replication : List.of(
                "database",
                "true",
                "t",
                "TRUE",
                "tRu",
                "on",
                "o",
                "of",
                "off",
                "no",
                "n",
                "yes",
                "ye",
                "y",
                "0",
                "1",
                "2",
                "",
                "truex",
                "false",
                "f",
                "DATABASE",
                " true")) {
            seeds.add(startup(3, 0, "user", "postgres", "replication", replication));
        }
        for (String options : List.of(
                "-c work_mem=4MB",
                "-cwork_mem=4MB",
                "--work_mem=4MB",
                "--work-mem=4MB",
                "-c",
                "--",
                "--work_mem",
                "-c work_mem",
                "work_mem=4MB",
                "-e",
                "-ec work_mem=4MB",
                "-S 4096",
                "-fs -fi",
                "-f x",
                "-t pa",
                "-tpl -te",
                "-t x",
                "-s",
                "-O",
                "-P",
                "-F",
                "-x",
                "-",
                "\\-c work_mem=4MB",
                "-c application_name=a\\ b",
                "-c application_name=a\\\\b",
                "-c application_name=",
                "-c =x",
                "  -c   work_mem=4MB  ",
                "-c\twork_mem=4MB\n",
                "-c no_such=1",
                "-c a.b=1",
                "-c a..b=1",
                "-c 9.b=1",
                "-c a.=1",
                "-c a.b.c=1",
                "-c user=x",
                "-c replication=1",
                "\\",
                "-c work_mem=4MB\\")) {
            seeds.add(startup(3, 0, "user", "postgres", "options", options));
        }
        seeds.add(startup(3, 0, "user", "postgres", "work_mem", "4MB", "TimeZone", "UTC", "DATESTYLE", "ISO"));
        seeds.add(startup(3, 0, "user", "postgres", "a.b", "c", "work mem", "4MB"));
        seeds.add(startup(3, 0, "user", "postgres", "application_name", "\u00e4\u4e2d"));
        seeds.add(startup(3, 0, "user", "postgres", "9", "x"));
        seeds.add(startup(3, 0, "user", "postgres", "", "x"));
        seeds.add(startup(3, 0, "user", "p".repeat(64)));
        seeds.add(startup(3, 0, "user", "postgres", "application_name", "n".repeat(9_900)));
        seeds.add(startup(3, 0, "user", "postgres", "application_name", "n".repeat(10_000)));
        seeds.add(packet(new byte[0]));
        seeds.add(packet(new byte[] {0, 3}));
        seeds.add(packet(new byte[] {4, (byte) 0xd2, 0x16, 0x2f}));
        seeds.add(packet(new byte[] {4, (byte) 0xd2, 0x16, 0x30}));
        seeds.add(packet(new byte[] {4, (byte) 0xd2, 0x16, 0x31}));
        seeds.add(packet(new byte[] {4, (byte) 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 1, 2, 3, 4}));
        seeds.add(packet(new byte[] {4, (byte) 0xd2, 0x16, 0x2e, 0, 0, 0, 1}));
        seeds.add(packet(new byte[] {4, (byte) 0xd2, 0x16, 0x2e, 0, 0}));
        return seeds;
    }

    private static byte[] startup(int major, int minor, String... namesAndValues) {
        ByteBuf body = Unpooled.buffer();
        body.writeShort(major).writeShort(minor);
        for (String text : namesAndValues) {
            body.writeCharSequence(text, StandardCharsets.UTF_8);
            body.writeByte(0);
        }
        body.writeByte(0);
        return packet(ByteBufUtil.getBytes(body));
    }

    private static byte[] packet(byte[]... parts) {
        ByteBuf packet = Unpooled.buffer();
        packet.writeInt(0);
        for (byte[] part : parts) {
            packet.writeBytes(part);
        }
        packet.setInt(0, packet.writerIndex());
        return ByteBufUtil.getBytes(packet);
    }

    private static byte[] slice(byte[] bytes, int from, int to) {
        return to <= from ? new byte[0] : Arrays.copyOfRange(bytes, from, to);
    }
}
