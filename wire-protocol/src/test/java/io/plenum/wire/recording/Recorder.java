package io.plenum.wire.recording;

import io.plenum.wire.BackendType;
import io.plenum.wire.FrontendType;
import io.plenum.wire.recording.Recording.Message;
import io.plenum.wire.recording.Recording.Sender;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and a server on the loopback address and writes down every message of both.
 *
 * <p>Cuts the streams by blocking reads of a length and as many bytes, which is too slow for a pooler and too simple to
 * be wrong. Of a client that connects more than once the last connection is what counts.
 */
final class Recorder implements AutoCloseable {
    private final ServerSocket listener;
    private final int serverPort;
    private final Thread accepting;
    private volatile @Nullable Conversation last;

    Recorder(int serverPort) throws IOException {
        this.serverPort = serverPort;
        listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        accepting = start(() -> {
            while (true) {
                last = new Conversation(listener.accept());
            }
        });
    }

    int port() {
        return listener.getLocalPort();
    }

    /** Waits until both ends have closed and returns what was said. */
    Recording finish(String name) throws IOException, InterruptedException {
        listener.close();
        accepting.join();
        return Objects.requireNonNull(last).finish(name);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }

    private final class Conversation {
        private final List<Message> messages = new ArrayList<>();
        private final Socket client;
        private final Socket server;
        private final Thread frontend;
        private final Thread backend;
        private boolean answerIsOneByte;

        Conversation(Socket client) throws IOException {
            this.client = client;
            server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
            frontend = start(() -> {
                try {
                    frontend(client, server);
                } finally {
                    server.shutdownOutput();
                }
            });
            backend = start(() -> {
                try {
                    backend(server, client);
                } finally {
                    client.shutdownOutput(); // also when the server ended with a reset
                }
            });
        }

        Recording finish(String name) throws IOException, InterruptedException {
            frontend.join();
            backend.join();
            client.close();
            server.close();
            return new Recording(name, List.copyOf(messages));
        }

        private void frontend(Socket from, Socket to) throws IOException {
            DataInputStream in = new DataInputStream(from.getInputStream());
            boolean started = false;
            while (true) {
                int first = in.read();
                if (first < 0) {
                    return;
                }
                if (started) {
                    byte[] bytes = message((byte) first, in);
                    FrontendType type = Objects.requireNonNull(FrontendType.of(bytes[0]));
                    pass(Sender.FRONTEND, bytes, type.manualName(), to.getOutputStream());
                    continue;
                }
                byte[] word = {(byte) first, in.readByte(), in.readByte(), in.readByte()};
                byte[] bytes = new byte[intAt(word, 0)];
                System.arraycopy(word, 0, bytes, 0, 4);
                in.readFully(bytes, 4, bytes.length - 4);
                String label = switch (intAt(bytes, 4)) {
                    case 80877102 -> "CancelRequest";
                    case 80877103 -> "SSLRequest";
                    case 80877104 -> "GSSENCRequest";
                    default -> "StartupMessage";
                };
                started = label.equals("StartupMessage");
                synchronized (this) {
                    answerIsOneByte = label.equals("SSLRequest") || label.equals("GSSENCRequest");
                }
                pass(Sender.FRONTEND, bytes, label, to.getOutputStream());
            }
        }

        private void backend(Socket from, Socket to) throws IOException {
            DataInputStream in = new DataInputStream(from.getInputStream());
            while (true) {
                int first = in.read();
                if (first < 0) {
                    return;
                }
                boolean oneByte;
                synchronized (this) {
                    oneByte = answerIsOneByte;
                    answerIsOneByte = false;
                }
                if (oneByte) {
                    pass(Sender.BACKEND, new byte[] {(byte) first}, "answer", to.getOutputStream());
                    continue;
                }
                byte[] bytes = message((byte) first, in);
                BackendType type = Objects.requireNonNull(BackendType.of(bytes[0]));
                pass(Sender.BACKEND, bytes, type.manualName(), to.getOutputStream());
            }
        }

        private void pass(Sender sender, byte[] bytes, String label, OutputStream to) throws IOException {
            synchronized (messages) {
                messages.add(new Message(sender, bytes, label));
            }
            to.write(bytes);
        }
    }

    /** A message with a type byte, as a stream holds it. */
    static byte[] message(byte type, InputStream stream) throws IOException {
        DataInputStream in = new DataInputStream(stream);
        int length = in.readInt();
        byte[] bytes = new byte[1 + length];
        bytes[0] = type;
        bytes[1] = (byte) (length >> 24);
        bytes[2] = (byte) (length >> 16);
        bytes[3] = (byte) (length >> 8);
        bytes[4] = (byte) length;
        in.readFully(bytes, 5, length - 4);
        return bytes;
    }

    private static int intAt(byte[] bytes, int index) {
        return (bytes[index] & 0xff) << 24
                | (bytes[index + 1] & 0xff) << 16
                | (bytes[index + 2] & 0xff) << 8
                | (bytes[index + 3] & 0xff);
    }

    private interface Task {
        void run() throws IOException;
    }

    private static Thread start(Task task) {
        return Thread.ofVirtual().start(() -> {
            try {
                task.run();
            } catch (IOException e) {
                // The other end has gone, or no more clients are wanted; what was said before is recorded.
            }
        });
    }
}
