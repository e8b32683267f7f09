package io.plenum.testbed;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A TCP port that is free on every loopback address and stays ours while the cluster lives, also when no node listens
 * on it.
 *
 * <p>The claim is a file lock, which other JVMs of this user respect and which ends with this JVM. ClaimedPort lie
 * below Linux's ephemeral range (32768 and up), or an outgoing connection could take the port of a stopped node.
 */
record ClaimedPort(int port, FileChannel lock) implements AutoCloseable {
    private static final int FIRST = 20_000;
    private static final int LAST = 32_000;

    static ClaimedPort claim() {
        for (int i = 0; i < 1000; i++) {
            var claimed = tryClaim(ThreadLocalRandom.current().nextInt(FIRST, LAST));
            if (claimed != null) {
                return claimed;
            }
        }
        throw new TestbedException("no free port between " + FIRST + " and " + LAST);
    }

    private static @Nullable ClaimedPort tryClaim(int port) {
        try {
            var folder = Files.createDirectories(PostgresBinaries.cache().resolve("ports"));
            var channel = FileChannel.open(
                    folder.resolve(Integer.toString(port)), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (isOurs(channel) && isFree(port)) {
                return new ClaimedPort(port, channel);
            }
            channel.close();
            return null;
        } catch (IOException e) {
            throw new TestbedException("cannot claim port " + port, e);
        }
    }

    private static boolean isOurs(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException _) {
            return false; // another cluster of this JVM has it
        }
    }

    /** Binding the wildcard address fails when any address has a listener there. Nothing listens meanwhile. */
    private static boolean isFree(int port) {
        try (var socket = new Socket()) {
            socket.bind(new InetSocketAddress(port));
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new TestbedException("cannot give back port " + port, e);
        }
    }
}
