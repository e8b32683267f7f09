package io.plenum.testbed;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A TCP proxy on a loopback address whose network can be broken while it runs.
 *
 * <p>Each direction of all connections obeys one {@link Fault} at a time, which {@link #set} changes at once, also for
 * bytes that wait. Ends of stream and resets pass through as what they are. Any thread may call; the proxy's own
 * threads are daemons. A direction holds at most 1 MiB.
 */
public final class FaultProxy implements AutoCloseable {
    private static final int PIECE = 16 * 1024;
    private static final int PIECES = 64;

    /** Where the bytes of a connection go. */
    public enum Direction {
        /** From the client that connected to the proxy. */
        TO_SERVER,
        /** From the server that the proxy connected to. */
        TO_CLIENT
    }

    /** A fault as it was set once; setting the same again is another one, with a count of its own. */
    private record Setting(Fault fault, long number) {}

    private final InetAddress listenAddress;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong bytesToServer = new AtomicLong();
    private final AtomicLong bytesToClient = new AtomicLong();
    private final Object change = new Object(); // guards the faults and wakes writers that wait for another
    private long changes;
    private Setting toServer = new Setting(new Fault.None(), 0);
    private Setting toClient = toServer;
    private volatile InetSocketAddress target;
    private volatile Listener listener;
    private volatile boolean refusing;
    private volatile boolean closed;

    private FaultProxy(InetAddress listenAddress, int port, InetSocketAddress target) throws IOException {
        this.listenAddress = listenAddress;
        this.target = target;
        this.listener = listen(port);
    }

    /** Starts a proxy on 127.0.0.1 and any free port. */
    public static FaultProxy start(String targetHost, int targetPort) throws IOException {
        return start("127.0.0.1", 0, targetHost, targetPort);
    }

    /** Starts a proxy in front of a node. */
    public static FaultProxy start(PostgresNode node) throws IOException {
        return start(node.host(), node.port());
    }

    /** Starts a proxy on this loopback address and port; 0 is any free port. */
    public static FaultProxy start(String listenHost, int listenPort, String targetHost, int targetPort)
            throws IOException {
        return new FaultProxy(
                InetAddress.getByName(listenHost), listenPort, new InetSocketAddress(targetHost, targetPort));
    }

    /** The address to connect to. */
    public String host() {
        return listenAddress.getHostAddress();
    }

    /** The port to connect to. */
    public int port() {
        return listener.socket().getLocalPort();
    }

    /** Sends connections from now on elsewhere; those that are open stay. */
    public void target(String host, int port) {
        target = new InetSocketAddress(host, port);
    }

    /** Sets the fault of one direction, for open and for new connections, in place of the one before. */
    public void set(Direction direction, Fault fault) {
        synchronized (change) {
            var setting = new Setting(fault, ++changes);
            switch (direction) {
                case TO_SERVER -> toServer = setting;
                case TO_CLIENT -> toClient = setting;
            }
            change.notifyAll();
        }
    }

    /** Sets the fault of both directions. */
    public void set(Fault fault) {
        set(Direction.TO_SERVER, fault);
        set(Direction.TO_CLIENT, fault);
    }

    /** Ends both faults and listens again; what was stalled goes on. */
    public void heal() throws IOException {
        set(new Fault.None());
        refuse(false);
    }

    /** Delays both directions, so that a round trip takes twice as long more. */
    public void latency(Duration delay) {
        set(new Fault.Latency(delay));
    }

    /** Swallows both directions: connections open and stay open, and nobody ever answers. */
    public void blackhole() {
        set(new Fault.Blackhole());
    }

    /**
     * True closes the listening socket, so that the system refuses connections; false opens it again on the same port.
     */
    public synchronized void refuse(boolean refuse) throws IOException {
        if (refuse != refusing) {
            refusing = refuse;
            if (refuse) {
                listener.close();
            } else {
                listener = listen(port());
            }
        }
    }

    /** Resets both sides of every open connection. */
    public void resetAll() {
        connections.forEach(Connection::reset);
    }

    /** Closes both sides of every open connection in order. */
    public void closeAll() {
        connections.forEach(Connection::close);
    }

    /** Ends one direction of every open connection; the other goes on. */
    public void halfCloseAll(Direction direction) {
        connections.forEach(connection -> connection.endOf(direction));
    }

    /** Connections accepted since the start. */
    public long acceptedConnections() {
        return accepted.get();
    }

    /** Connections that are open now. */
    public int openConnections() {
        return connections.size();
    }

    /** Bytes passed on in this direction since the start, over all connections; swallowed ones are not counted. */
    public long bytes(Direction direction) {
        return counter(direction).get();
    }

    /** Stops listening and resets what is open. */
    @Override
    public void close() throws IOException {
        closed = true;
        listener.close();
        resetAll();
        set(new Fault.None());
    }

    private AtomicLong counter(Direction direction) {
        return direction == Direction.TO_SERVER ? bytesToServer : bytesToClient;
    }

    private Setting setting(Direction direction) {
        synchronized (change) {
            return direction == Direction.TO_SERVER ? toServer : toClient;
        }
    }

    private Listener listen(int port) throws IOException {
        var socket = new ServerSocket();
        socket.setReuseAddress(true); // connections of before may still linger on the port
        socket.bind(new InetSocketAddress(listenAddress, port), 1024);
        var acceptor =
                Thread.ofVirtual().name("fault-proxy-" + socket.getLocalPort()).start(() -> acceptAll(socket));
        return new Listener(socket, acceptor);
    }

    private record Listener(ServerSocket socket, Thread acceptor) {
        /** Returns when the system refuses connections: it listens on as long as a thread is in accept. */
        void close() throws IOException {
            socket.close();
            try {
                acceptor.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void acceptAll(ServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                var client = socket.accept();
                accepted.incrementAndGet();
                Thread.ofVirtual().name("fault-proxy-connect").start(() -> connect(client));
            } catch (IOException _) {
                // the listener was closed, or the client left before it was accepted
            }
        }
    }

    private void connect(Socket client) {
        var server = new Socket();
        var connection = new Connection(client, server);
        connections.add(connection);
        try {
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            server.connect(target, 10_000);
        } catch (IOException _) {
            connection.reset();
            return;
        }
        connection.start();
        if (closed || connection.isClosed()) {
            connection.reset(); // close() or resetAll() came before its threads
        }
    }

    /**
     * One client's socket and the server's behind it. It leaves the set of connections when both directions have ended,
     * or is reset or closed.
     */
    private final class Connection {
        private final Socket client;
        private final Socket server;
        private final List<Thread> threads = new CopyOnWriteArrayList<>();
        private final AtomicInteger openDirections = new AtomicInteger(2);
        private final AtomicBoolean closed = new AtomicBoolean();

        Connection(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void start() {
            threads.addAll(new Pump(this, client, server, Direction.TO_SERVER).threads());
            threads.addAll(new Pump(this, server, client, Direction.TO_CLIENT).threads());
            threads.forEach(Thread::start);
        }

        void reset() {
            end(true);
        }

        void close() {
            end(false);
        }

        /** The first end counts: threads that then fail on their closed socket do not make a reset of a close. */
        private void end(boolean byReset) {
            if (!closed.compareAndSet(false, true)) {
                return;
            }
            connections.remove(this);
            for (var socket : List.of(client, server)) {
                try (socket) {
                    if (byReset) {
                        socket.setSoLinger(true, 0);
                    }
                } catch (IOException _) {
                    // the other side closed it already
                }
            }
            threads.forEach(Thread::interrupt); // those that wait for bytes, for room or for another fault
        }

        boolean isClosed() {
            return closed.get();
        }

        void endOf(Direction direction) {
            try {
                (direction == Direction.TO_SERVER ? server : client).shutdownOutput();
            } catch (IOException _) {
                // this end is gone, the other will notice
            }
        }

        void directionEnded() {
            if (openDirections.decrementAndGet() == 0) {
                close();
            }
        }
    }

    /** What came, and when. */
    private sealed interface Arrival {
        long atNanos();

        @SuppressWarnings("ArrayRecordComponent") // never compared
        record Bytes(byte[] bytes, long atNanos) implements Arrival {}

        record EndOfStream(long atNanos) implements Arrival {}

        record Reset(long atNanos) implements Arrival {}
    }

    /**
     * One direction of a connection: a thread that reads into a bounded queue, and one that writes as the fault says.
     */
    private final class Pump {
        private final Connection connection;
        private final Socket from;
        private final Socket to;
        private final Direction direction;
        private final BlockingQueue<Arrival> queue = new ArrayBlockingQueue<>(PIECES);
        private Setting setting;
        private long passed; // bytes since this setting
        private boolean halfClosed;

        Pump(Connection connection, Socket from, Socket to, Direction direction) {
            this.connection = connection;
            this.from = from;
            this.to = to;
            this.direction = direction;
            this.setting = setting(direction);
        }

        List<Thread> threads() {
            return List.of(
                    Thread.ofVirtual().name("fault-proxy-read").unstarted(() -> guarded(this::readAll)),
                    Thread.ofVirtual().name("fault-proxy-write").unstarted(() -> guarded(this::writeAll)));
        }

        private interface Work {
            void run() throws IOException, InterruptedException;
        }

        private void guarded(Work work) {
            try {
                work.run();
            } catch (IOException _) {
                connection.reset();
            } catch (InterruptedException _) {
                // the connection was closed
            }
        }

        private void readAll() throws IOException, InterruptedException {
            var in = from.getInputStream();
            var buffer = new byte[PIECE];
            try {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    queue.put(new Arrival.Bytes(Arrays.copyOf(buffer, n), System.nanoTime()));
                }
                queue.put(new Arrival.EndOfStream(System.nanoTime()));
            } catch (IOException e) {
                if (connection.isClosed() || !(setting(direction).fault() instanceof Fault.Blackhole)) {
                    throw e; // a reset overtakes the bytes before it
                }
                queue.put(new Arrival.Reset(System.nanoTime()));
            }
        }

        private void writeAll() throws IOException, InterruptedException {
            while (true) {
                switch (queue.take()) {
                    case Arrival.Bytes piece -> {
                        int done = 0;
                        while (done < piece.bytes().length) {
                            done += pass(piece, done);
                        }
                    }
                    case Arrival.EndOfStream end -> {
                        awaitPassage(end);
                        connection.endOf(direction);
                        connection.directionEnded();
                        return;
                    }
                    case Arrival.Reset reset -> {
                        awaitPassage(reset);
                        connection.reset();
                        return;
                    }
                }
            }
        }

        /** Does with the next bytes what the fault says now; 0 when it has changed meanwhile. */
        private int pass(Arrival.Bytes piece, int from) throws IOException, InterruptedException {
            int left = piece.bytes().length - from;
            if (halfClosed) {
                return left;
            }
            return switch (currentFault()) {
                case Fault.None _ -> write(piece, from, left);
                case Fault.Latency latency ->
                    awaitChange(piece.atNanos() + latency.delay().toNanos()) ? 0 : write(piece, from, left);
                case Fault.Blackhole _ -> left;
                case Fault.StallAfter stall -> {
                    if (passed >= stall.bytes()) {
                        awaitChange(Long.MAX_VALUE);
                        yield 0;
                    }
                    yield write(piece, from, upTo(stall.bytes(), left));
                }
                case Fault.CloseAfter cut -> {
                    int written = write(piece, from, upTo(cut.bytes(), left));
                    if (passed >= cut.bytes()) {
                        connection.close();
                        yield left;
                    }
                    yield written;
                }
                case Fault.ResetAfter cut -> {
                    int written = write(piece, from, upTo(cut.bytes(), left));
                    if (passed >= cut.bytes()) {
                        connection.reset();
                        yield left;
                    }
                    yield written;
                }
                case Fault.HalfCloseAfter cut -> {
                    int written = write(piece, from, upTo(cut.bytes(), left));
                    if (passed >= cut.bytes()) {
                        halfClosed = true;
                        connection.endOf(direction);
                        yield left;
                    }
                    yield written;
                }
                case Fault.Chop chop -> {
                    int written = write(piece, from, Math.min(chop.pieceBytes(), left));
                    if (!chop.pause().isZero()) {
                        Thread.sleep(chop.pause());
                    }
                    yield written;
                }
            };
        }

        /** An end of the stream waits as the bytes would. */
        private void awaitPassage(Arrival end) throws InterruptedException {
            boolean changed = true;
            while (changed) {
                changed = switch (currentFault()) {
                    case Fault.Latency latency ->
                        awaitChange(end.atNanos() + latency.delay().toNanos());
                    case Fault.Blackhole _ -> awaitChange(Long.MAX_VALUE);
                    case Fault.StallAfter stall when passed >= stall.bytes() -> awaitChange(Long.MAX_VALUE);
                    default -> false;
                };
            }
        }

        private int upTo(long limit, int left) {
            return (int) Math.min(limit - passed, left);
        }

        private int write(Arrival.Bytes piece, int from, int count) throws IOException {
            to.getOutputStream().write(piece.bytes(), from, count);
            passed += count;
            counter(direction).addAndGet(count);
            return count;
        }

        private Fault currentFault() {
            var now = setting(direction);
            if (!now.equals(setting)) {
                setting = now;
                passed = 0;
            }
            return now.fault();
        }

        /**
         * Waits until there is another fault (true) or until the time has come (false); {@code Long.MAX_VALUE} never
         * comes.
         */
        private boolean awaitChange(long untilNanos) throws InterruptedException {
            synchronized (change) {
                while (setting(direction).equals(setting)) {
                    if (untilNanos == Long.MAX_VALUE) {
                        change.wait();
                    } else {
                        long left = untilNanos - System.nanoTime();
                        if (left <= 0) {
                            return false;
                        }
                        change.wait(left / 1_000_000, (int) (left % 1_000_000));
                    }
                }
                return true;
            }
        }
    }
}
