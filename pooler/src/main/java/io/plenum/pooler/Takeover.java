package io.plenum.pooler;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.wire.BackendType;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.ProtocolVersion;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What {@code -R} does: the process that runs with the same configuration listens no more, lets in nobody, and ends when its
 * clients have left; we listen in its place.
 *
 * <p>PgBouncer's hands over the sockets of its clients. A client here has more than a socket (settings, statements, what it
 * has seen), so it stays where it is.
 */
final class Takeover {
    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final Duration RELEASE = Duration.ofSeconds(10);
    private static final long PAUSE_MILLIS = 10;

    /** Who runs the process may do all on its console at the Unix socket, by this name. */
    private static final Map<String, String> LOGIN = Map.of("user", "pgbouncer", "database", "pgbouncer");

    private Takeover() {}

    /**
     * Blocks until we can listen.
     *
     * @return whether there is an old process, which may live on for a while
     * @throws IOException when it is there and does not do what it was asked
     */
    static boolean from(PoolerConfig config) throws IOException, InterruptedException {
        String directory = config.get(Settings.UNIX_SOCKET_DIR);
        if (directory.isEmpty() || directory.startsWith("@")) {
            throw new IOException("cannot reboot: unix_socket_dir names no directory");
        }
        Path socket = Path.of(directory + "/.s.PGSQL." + config.get(Settings.LISTEN_PORT));
        SocketChannel console;
        try {
            console = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        } catch (IOException nobody) {
            LOG.info("old process not found, try to continue normally");
            return false;
        }
        try (console) {
            ask(console);
        }
        LOG.info("old process listens no more, and ends when its clients have left");
        awaitRelease(socket, config);
        return true;
    }

    private static void ask(SocketChannel console) throws IOException, InterruptedException {
        ByteBuf asked = Unpooled.buffer(128);
        FrontendMessages.startup(asked, ProtocolVersion.V3_0, LOGIN);
        FrontendMessages.query(asked, "SHUTDOWN WAIT_FOR_CLIENTS");
        CompletableFuture<Boolean> answered = new CompletableFuture<>();
        Thread.ofVirtual().name("plenum-takeover").start(() -> {
            try {
                ByteBuffer bytes = asked.nioBuffer();
                while (bytes.hasRemaining()) {
                    console.write(bytes);
                }
                awaitAnswer(console);
                answered.complete(true);
            } catch (IOException failure) {
                answered.completeExceptionally(failure);
            }
        });
        try {
            var _ = answered.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            throw new IOException("cannot reboot: the old process did not answer", failed.getCause());
        } catch (TimeoutException late) {
            throw new IOException("cannot reboot: the old process did not answer in time", late);
        }
    }

    private static void awaitAnswer(SocketChannel console) throws IOException {
        ByteBuf received = Unpooled.buffer(4096);
        var cutter = new FrameCutter(FrameCutter.Side.BACKEND);
        ByteBuffer chunk = ByteBuffer.allocate(4096);
        while (true) {
            if (console.read(chunk) < 0) {
                throw new EOFException("it closed the connection");
            }
            received.writeBytes(chunk.flip());
            chunk.clear();
            cutter.show(received);
            cutter.rewind(received.readerIndex()); // from the first message again, whole now or not
            while (cutter.next() == Step.WHOLE) {
                byte type = received.getByte(cutter.start());
                if (type == BackendType.ERROR_RESPONSE.code()) {
                    throw new IOException("it refused");
                }
                if (type == BackendType.COMMAND_COMPLETE.code()) {
                    return;
                }
            }
        }
    }

    /** The old process keeps its Unix socket for its console, but gives up the name. */
    private static void awaitRelease(Path socket, PoolerConfig config) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + RELEASE.toNanos();
        while (!config.get(Settings.SO_REUSEPORT) && !isFree(Pooler.listenAddresses(config))) {
            if (System.nanoTime() - deadline > 0) {
                throw new IOException("cannot reboot: the old process still listens");
            }
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
        Files.deleteIfExists(socket);
    }

    private static boolean isOurs(InetAddress address) {
        try {
            return address.isAnyLocalAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException unknown) {
            return true;
        }
    }

    private static boolean isFree(List<InetSocketAddress> addresses) {
        for (InetSocketAddress address : addresses) {
            if (!isOurs(address.getAddress())) {
                continue; // nobody listens there, and neither shall we
            }
            try (var probe = new ServerSocket()) {
                probe.setReuseAddress(true);
                probe.bind(address);
            } catch (IOException taken) {
                return false;
            }
        }
        return true;
    }
}
