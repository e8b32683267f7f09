package io.plenum.testbed;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A DNS server on a loopback port, over UDP and TCP, that answers for the names a test gives it, as well or as badly as
 * the test wants.
 *
 * <p>Names are matched without case and without a trailing dot. A name it does not know is NXDOMAIN; a known name
 * without records of the type asked for is an empty answer (NODATA). An answer that is longer than the asker takes over
 * UDP is truncated by itself. Any thread may call; what is changed holds for the next query. The server's threads are
 * virtual. RFC 1035, RFC 2782 (SRV), RFC 6891 (only the asker's payload size is read).
 */
public final class TestDns implements AutoCloseable {
    /** How the server treats queries. */
    public enum Behaviour {
        /** Answers what it knows. */
        NORMAL,
        /** Says that no name exists. */
        NXDOMAIN,
        /** Says that it failed. */
        SERVFAIL,
        /** Says that it will not answer. */
        REFUSED,
        /** Says that every name exists and has no records. */
        NODATA,
        /** Never answers; TCP connections stay open. */
        SILENT,
        /** Sets TC on every UDP answer and leaves its records out; TCP has them. */
        TRUNCATED,
        /** Sends half of the bytes of each answer, with the counts of the whole. */
        MALFORMED
    }

    /** One SRV record. */
    public record Srv(int priority, int weight, int port, String target) {}

    private static final int A = 1;
    private static final int AAAA = 28;
    private static final int SRV = 33;
    private static final int OPT = 41;
    private static final int INTERNET = 1;
    private static final int RESPONSE_AUTHORITATIVE = 0x8400;
    private static final int TRUNCATION = 0x0200;
    private static final int RECURSION_DESIRED = 0x0100;
    private static final int UDP_BYTES_WITHOUT_EDNS = 512;

    private record Records(List<InetAddress> addresses, List<Srv> services) {}

    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final Map<String, Records> names = new ConcurrentHashMap<>();
    private final AtomicInteger udpQueries = new AtomicInteger();
    private final AtomicInteger tcpQueries = new AtomicInteger();
    private final Map<String, AtomicInteger> queriesOfName = new ConcurrentHashMap<>();
    private volatile Behaviour behaviour = Behaviour.NORMAL;
    private volatile Duration ttl = Duration.ofSeconds(1);
    private volatile Duration delay = Duration.ZERO;
    private volatile int recordLimit = Integer.MAX_VALUE;

    private TestDns(DatagramSocket udp, ServerSocket tcp) {
        this.udp = udp;
        this.tcp = tcp;
        Thread.ofVirtual().name("test-dns-udp").start(this::serveUdp);
        Thread.ofVirtual().name("test-dns-tcp").start(this::serveTcp);
    }

    /** Starts a server on 127.0.0.1 and a port that is free for both UDP and TCP. */
    public static TestDns start() throws IOException {
        var loopback = InetAddress.ofLiteral("127.0.0.1");
        while (true) {
            var tcp = new ServerSocket(0, 50, loopback);
            try {
                return new TestDns(new DatagramSocket(tcp.getLocalPort(), loopback), tcp);
            } catch (BindException _) {
                tcp.close(); // someone has this number for UDP
            }
        }
    }

    /** Where it listens, for a resolver's list of servers. */
    public InetSocketAddress address() {
        return new InetSocketAddress(udp.getLocalAddress(), udp.getLocalPort());
    }

    /** The port, for UDP and TCP. */
    public int port() {
        return udp.getLocalPort();
    }

    /**
     * Gives a name these addresses (literals, IPv4 as A, IPv6 as AAAA), in this order, in place of those before; none
     * leaves an empty name.
     */
    public void addresses(String name, String... literals) {
        var addresses = Arrays.stream(literals).map(InetAddress::ofLiteral).toList();
        names.compute(key(name), (_, before) -> new Records(addresses, before == null ? List.of() : before.services()));
    }

    /** Gives a name the addresses of these nodes. */
    public void addresses(String name, List<PostgresNode> nodes) {
        addresses(name, nodes.stream().map(PostgresNode::host).toArray(String[]::new));
    }

    /** Gives a name these SRV records, in place of those before. Their targets need addresses of their own. */
    public void services(String name, Srv... services) {
        var records = List.of(services);
        names.compute(key(name), (_, before) -> new Records(before == null ? List.of() : before.addresses(), records));
    }

    /** Forgets a name: it is NXDOMAIN again. */
    public void remove(String name) {
        names.remove(key(name));
    }

    /** How the next queries are treated, for all names. */
    public void behave(Behaviour wanted) {
        behaviour = wanted;
    }

    /** The time to live of every record, in whole seconds; 1 s at the start. */
    public void ttl(Duration timeToLive) {
        ttl = timeToLive;
    }

    /** How long each answer takes. */
    public void delay(Duration answerDelay) {
        delay = answerDelay;
    }

    /**
     * Leaves out all but the first so many records of an answer, as a server does that has not heard of all Pods yet.
     */
    public void recordLimit(int records) {
        recordLimit = records;
    }

    /** Queries seen, over UDP and TCP. */
    public int queries() {
        return udpQueries() + tcpQueries();
    }

    /** Queries seen for this name, of all types. */
    public int queries(String name) {
        var count = queriesOfName.get(key(name));
        return count == null ? 0 : count.get();
    }

    /** Queries seen over UDP. */
    public int udpQueries() {
        return udpQueries.get();
    }

    /** Queries seen over TCP. */
    public int tcpQueries() {
        return tcpQueries.get();
    }

    /** Stops answering. */
    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
    }

    private void serveUdp() {
        var buffer = new byte[4096];
        while (!udp.isClosed()) {
            try {
                var packet = new DatagramPacket(buffer, buffer.length);
                udp.receive(packet);
                var query = Arrays.copyOf(packet.getData(), packet.getLength());
                var asker = packet.getSocketAddress();
                udpQueries.incrementAndGet();
                Thread.ofVirtual().name("test-dns-answer").start(() -> answerUdp(query, asker));
            } catch (IOException _) {
                // the socket was closed, or an asker of before refuses its answer
            }
        }
    }

    private void answerUdp(byte[] query, SocketAddress asker) {
        try {
            var answer = answer(query, true);
            if (answer != null) {
                udp.send(new DatagramPacket(answer, answer.length, asker));
            }
        } catch (IOException | InterruptedException _) {
            // closed, or the asker is gone
        }
    }

    private void serveTcp() {
        while (!tcp.isClosed()) {
            try {
                var connection = tcp.accept();
                Thread.ofVirtual().name("test-dns-answer").start(() -> answerTcp(connection));
            } catch (IOException _) {
                // the socket was closed, or the asker left early
            }
        }
    }

    private void answerTcp(Socket connection) {
        try (connection;
                var in = new DataInputStream(connection.getInputStream());
                var out = new DataOutputStream(connection.getOutputStream())) {
            while (true) {
                var query = new byte[in.readUnsignedShort()];
                in.readFully(query);
                tcpQueries.incrementAndGet();
                var answer = answer(query, false);
                if (answer != null) {
                    out.write(ByteBuffer.allocate(2 + answer.length)
                            .putShort((short) answer.length)
                            .put(answer)
                            .array());
                }
            }
        } catch (IOException | InterruptedException _) {
            // the asker has what it wanted
        }
    }

    private byte @Nullable [] answer(byte[] query, boolean overUdp) throws IOException, InterruptedException {
        var question = Question.read(query);
        queriesOfName
                .computeIfAbsent(key(question.name()), _ -> new AtomicInteger())
                .incrementAndGet();
        if (!delay.isZero()) {
            Thread.sleep(delay);
        }
        return switch (behaviour) {
            case NORMAL -> fitting(question, overUdp);
            case NXDOMAIN -> encode(question, ResponseCode.NXDOMAIN, List.of(), false);
            case SERVFAIL -> encode(question, ResponseCode.SERVFAIL, List.of(), false);
            case REFUSED -> encode(question, ResponseCode.REFUSED, List.of(), false);
            case NODATA -> encode(question, ResponseCode.NO_ERROR, List.of(), false);
            case SILENT -> null;
            case TRUNCATED ->
                overUdp ? encode(question, ResponseCode.NO_ERROR, List.of(), true) : fitting(question, false);
            case MALFORMED -> {
                var whole = fitting(question, overUdp);
                yield Arrays.copyOf(whole, whole.length / 2);
            }
        };
    }

    private byte[] fitting(Question question, boolean overUdp) throws IOException {
        var known = names.get(key(question.name()));
        if (known == null) {
            return encode(question, ResponseCode.NXDOMAIN, List.of(), false);
        }
        var data =
                recordData(known, question.type()).stream().limit(recordLimit).toList();
        var answer = encode(question, ResponseCode.NO_ERROR, data, false);
        boolean tooLong = overUdp && answer.length > question.largestUdpAnswer();
        return tooLong ? encode(question, ResponseCode.NO_ERROR, List.of(), true) : answer;
    }

    private static List<byte[]> recordData(Records records, int type) {
        return switch (type) {
            case A, AAAA ->
                records.addresses().stream()
                        .filter(address -> address instanceof Inet4Address == (type == A))
                        .map(InetAddress::getAddress)
                        .toList();
            case SRV -> records.services().stream().map(TestDns::srvData).toList();
            default -> List.of();
        };
    }

    private static byte[] srvData(Srv service) {
        var target = labels(service.target());
        return ByteBuffer.allocate(6 + target.length)
                .putShort((short) service.priority())
                .putShort((short) service.weight())
                .putShort((short) service.port())
                .put(target)
                .array();
    }

    private byte[] encode(Question question, ResponseCode code, List<byte[]> records, boolean truncated)
            throws IOException {
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(bytes);
        out.writeShort(question.id());
        out.writeShort(RESPONSE_AUTHORITATIVE
                | (truncated ? TRUNCATION : 0)
                | (question.recursionDesired() ? RECURSION_DESIRED : 0)
                | code.number);
        out.writeShort(1); // questions
        out.writeShort(records.size());
        out.writeShort(0); // authorities
        out.writeShort(0); // additional records
        out.write(labels(question.name()));
        out.writeShort(question.type());
        out.writeShort(INTERNET);
        for (var data : records) {
            out.writeShort(0xC00C); // the name of the question, at byte 12
            out.writeShort(question.type());
            out.writeShort(INTERNET);
            out.writeInt((int) ttl.toSeconds());
            out.writeShort(data.length);
            out.write(data);
        }
        return bytes.toByteArray();
    }

    private enum ResponseCode {
        NO_ERROR(0),
        SERVFAIL(2),
        NXDOMAIN(3),
        REFUSED(5);

        private final int number;

        ResponseCode(int number) {
            this.number = number;
        }
    }

    /** The one question of a query. The name keeps the asker's letters, as resolvers compare them. */
    private record Question(int id, boolean recursionDesired, String name, int type, int largestUdpAnswer) {
        static Question read(byte[] query) throws IOException {
            try {
                var in = ByteBuffer.wrap(query);
                int id = in.getShort() & 0xFFFF;
                int flags = in.getShort();
                in.position(10);
                int additional = in.getShort();
                var name = readName(in);
                int type = in.getShort();
                in.getShort(); // class
                return new Question(
                        id,
                        (flags & RECURSION_DESIRED) != 0,
                        name,
                        type,
                        additional > 0 ? ednsSize(in) : UDP_BYTES_WITHOUT_EDNS);
            } catch (BufferUnderflowException | IllegalArgumentException e) {
                throw new IOException("not a query of one question", e);
            }
        }

        private static String readName(ByteBuffer in) {
            var name = new StringBuilder();
            for (int length = in.get(); length > 0; length = in.get()) {
                var label = new byte[length];
                in.get(label);
                name.append(new String(label, StandardCharsets.US_ASCII)).append('.');
            }
            return name.toString();
        }

        /**
         * The first additional record is the OPT record of RFC 6891 in every query that has one: root name, type, size
         * in place of the class.
         */
        private static int ednsSize(ByteBuffer in) {
            boolean isOpt = in.get() == 0 && in.getShort() == OPT;
            return isOpt ? Math.max(UDP_BYTES_WITHOUT_EDNS, in.getShort() & 0xFFFF) : UDP_BYTES_WITHOUT_EDNS;
        }
    }

    private static String key(String name) {
        var lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    private static byte[] labels(String name) {
        var out = new ByteArrayOutputStream();
        for (var label : name.split("\\.", -1)) {
            if (!label.isEmpty()) {
                out.write(label.length());
                out.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
            }
        }
        out.write(0);
        return out.toByteArray();
    }
}
