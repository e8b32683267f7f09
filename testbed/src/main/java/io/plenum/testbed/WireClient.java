package io.plenum.testbed;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A blocking client that speaks PostgreSQL's protocol byte by byte and hides nothing of it.
 *
 * <p>It shares no code with Plenum's own reading of the protocol: it is the judge. One thread uses it at a time,
 * virtual or not; {@link #kill} and {@link #close} may come from another. Each read gives up with a {@link
 * SocketTimeoutException} after {@link #timeout}, 30 seconds unless said otherwise, so that a hanging server is a
 * failed test and not a hanging one. No message above 1 GiB is read.
 */
public final class WireClient implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int LARGEST_BODY = 1 << 30;

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private final Map<String, String> parameterStatus = new LinkedHashMap<>();
    private final List<Message> loginMessages = new ArrayList<>();
    private int processId;
    private byte[] cancelSecret = new byte[0];
    private char transactionStatus = 'I';

    private WireClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 16 * 1024));
        this.out = socket.getOutputStream();
        timeout(TIMEOUT);
    }

    /** Opens a TCP connection and says nothing on it. */
    public static WireClient open(String host, int port) throws IOException {
        return open(host, port, 0);
    }

    /**
     * Opens a TCP connection whose receive window is small, for a client that reads slowly; 0 leaves it to the system.
     */
    public static WireClient open(String host, int port, int receiveBufferBytes) throws IOException {
        var socket = new Socket();
        try {
            if (receiveBufferBytes > 0) {
                socket.setReceiveBufferSize(receiveBufferBytes); // before connect, or the window is already agreed
            }
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(InetAddress.getByName(host), port), (int) TIMEOUT.toMillis());
            return new WireClient(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Opens a session in protocol 3.0 and reads up to the first ReadyForQuery.
     *
     * @param startupParameters what the startup packet says, {@code user} among it
     * @throws ServerErrorException when the server refuses
     */
    public static WireClient connect(
            String host, int port, Map<String, String> startupParameters, @Nullable String password)
            throws IOException {
        var client = open(host, port);
        try {
            client.startup(Frames.PROTOCOL_3_0, startupParameters, password);
            return client;
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /** Opens a session of this user in this database. */
    public static WireClient connect(String host, int port, String database, String user, @Nullable String password)
            throws IOException {
        return connect(host, port, Map.of("user", user, "database", database), password);
    }

    /**
     * Sends the startup packet, logs in as the server asks (trust, cleartext, md5, SCRAM-SHA-256) and reads up to
     * ReadyForQuery.
     *
     * @return all that the server sent
     * @throws ServerErrorException when the server refuses
     */
    public List<Message> startup(int protocolVersion, Map<String, String> startupParameters, @Nullable String password)
            throws IOException {
        send(Frames.startup(protocolVersion, startupParameters));
        var login = new Login(startupParameters.getOrDefault("user", ""), password);
        while (true) {
            var message = read();
            loginMessages.add(message);
            switch (message.type()) {
                case 'R' -> {
                    var answer = login.answer(message);
                    if (answer != null) {
                        send(Frames.password(answer));
                    }
                }
                case 'E' -> throw new ServerErrorException(message);
                case 'Z' -> {
                    return loginMessages();
                }
                default -> {
                    // BackendKeyData, ParameterStatus, NegotiateProtocolVersion and notices are kept in the list
                }
            }
        }
    }

    /** Sends all frames in one write. */
    public void send(byte[]... frames) throws IOException {
        sendRaw(frames.length == 1 ? frames[0] : Frames.join(frames));
    }

    /** Sends any bytes as they are: half a frame, two and a half, or none that makes sense. */
    public void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    /** Sends a part of these bytes, from inclusive to exclusive. */
    public void sendPart(byte[] bytes, int from, int to) throws IOException {
        sendRaw(Arrays.copyOfRange(bytes, from, to));
    }

    /**
     * Reads the next message, whatever it is, and notes what it says of the session.
     *
     * @throws java.io.EOFException when the server has closed, also in the middle of a message
     */
    public Message read() throws IOException {
        char type = (char) in.readUnsignedByte();
        int length = in.readInt() - 4; // the length word counts itself
        if (length < 0 || length > LARGEST_BODY) {
            throw new IOException("message " + type + " with a body of " + length + " bytes");
        }
        var body = new byte[length];
        in.readFully(body);
        var message = new Message(type, body);
        note(message);
        return message;
    }

    /** Reads one byte: the answer to SSLRequest and GSSENCRequest. */
    public char readByte() throws IOException {
        return (char) in.readUnsignedByte();
    }

    /** Reads up to and with the next ReadyForQuery. */
    public List<Message> readUntilReady() throws IOException {
        return readUntil('Z');
    }

    /** Reads up to and with the next message of this type. */
    public List<Message> readUntil(char type) throws IOException {
        List<Message> messages = new ArrayList<>();
        Message message;
        do {
            message = read();
            messages.add(message);
        } while (message.type() != type);
        return messages;
    }

    /** Runs a simple Query and reads up to ReadyForQuery; an error is one of the messages. */
    public List<Message> query(String sql) throws IOException {
        send(Frames.query(sql));
        return readUntilReady();
    }

    /**
     * Runs a simple Query and gives the rows of all its statements.
     *
     * @throws ServerErrorException when there is an error; the session is then ready for the next query
     */
    public List<List<@Nullable String>> rows(String sql) throws IOException {
        List<List<@Nullable String>> rows = new ArrayList<>();
        Message error = null;
        for (var message : query(sql)) {
            switch (message.type()) {
                case 'D' -> rows.add(message.columns());
                case 'E' -> error = message;
                default -> {
                    // descriptions, tags and notices
                }
            }
        }
        if (error != null) {
            throw new ServerErrorException(error);
        }
        return rows;
    }

    /** The first column of the only row, "" for NULL. */
    public String value(String sql) throws IOException {
        var rows = rows(sql);
        if (rows.size() != 1) {
            throw new IOException("expected one row, there are " + rows.size() + " for " + sql);
        }
        var value = rows.getFirst().getFirst();
        return value == null ? "" : value;
    }

    /** Whether the server has closed: true at end of file or reset, false when a byte comes or none within the time. */
    public boolean isClosedWithin(Duration time) throws IOException {
        int before = socket.getSoTimeout();
        socket.setSoTimeout(Math.max(1, (int) time.toMillis()));
        in.mark(1);
        try {
            int next = in.read();
            if (next >= 0) {
                in.reset();
            }
            return next < 0;
        } catch (SocketTimeoutException _) {
            return false;
        } catch (SocketException _) {
            return true;
        } finally {
            if (!socket.isClosed()) {
                socket.setSoTimeout(before);
            }
        }
    }

    /**
     * Asks over a second connection to the same address that this session's query be cancelled; returns when the server
     * has closed it.
     */
    public void cancel() throws IOException {
        try (var second = open(socket.getInetAddress().getHostAddress(), socket.getPort())) {
            second.send(Frames.cancelRequest(processId, cancelSecret));
            second.isClosedWithin(TIMEOUT);
        }
    }

    /** How long a read waits at most; zero waits for ever. */
    public void timeout(Duration timeout) throws IOException {
        socket.setSoTimeout((int) timeout.toMillis());
    }

    /** Ends the sending half: the server reads end of file and can still answer. */
    public void halfClose() throws IOException {
        socket.shutdownOutput();
    }

    /** Closes with a reset, as the system does for a process that died with unread data. */
    public void kill() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** Says Terminate if the server takes it within a second, and closes. */
    @Override
    public void close() throws IOException {
        if (socket.isClosed()) {
            return;
        }
        // On a thread of its own: a server that reads nothing would hold a write for ever.
        var farewell = Thread.ofVirtual().start(() -> {
            try {
                out.write(Frames.terminate());
            } catch (IOException _) {
                // the server was faster
            }
        });
        try {
            farewell.join(Duration.ofSeconds(1));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        socket.close();
    }

    /** What the server last reported of its parameters, in the order of their first report. */
    public Map<String, String> parameterStatus() {
        return Collections.unmodifiableMap(parameterStatus);
    }

    /** The process number of BackendKeyData, 0 before it came. */
    public int processId() {
        return processId;
    }

    /** The secret of BackendKeyData, empty before it came: 4 bytes in protocol 3.0, up to 256 in 3.2. */
    public byte[] cancelSecret() {
        return cancelSecret.clone();
    }

    /** The status of the last ReadyForQuery: I, T or E. */
    public char transactionStatus() {
        return transactionStatus;
    }

    /** All that the server sent during the login, ReadyForQuery included. */
    public List<Message> loginMessages() {
        return Collections.unmodifiableList(loginMessages);
    }

    /** The socket, for options. */
    public Socket socket() {
        return socket;
    }

    /** The stream that {@link #read} reads from, for a test that reads by the byte. It buffers up to 16 KiB. */
    public DataInputStream input() {
        return in;
    }

    private void note(Message message) {
        var body = ByteBuffer.wrap(message.body());
        switch (message.type()) {
            case 'S' -> parameterStatus.put(Message.string(body), Message.string(body));
            case 'K' -> {
                processId = body.getInt();
                cancelSecret = Arrays.copyOfRange(message.body(), 4, message.body().length);
            }
            case 'Z' -> transactionStatus = message.transactionStatus();
            default -> {
                // says nothing of the session
            }
        }
    }
}
