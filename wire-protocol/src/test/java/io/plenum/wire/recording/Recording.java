package io.plenum.wire.recording;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A conversation between a client and a PostgreSQL server, message by message in the order they were seen.
 *
 * <p>In a file each line is a message: {@code F} or {@code B} for the side that sent it, its bytes in hexadecimal, its
 * name.
 */
public record Recording(String name, List<Message> messages) {
    /** Which end of the connection sent a message. */
    public enum Sender {
        FRONTEND,
        BACKEND
    }

    /** One message with its header; the label is for the reader of the file. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Message(Sender sender, byte[] bytes, String label) {
        /** The type byte; meaningless for startup packets and for the answer to a request of encryption. */
        public char type() {
            return (char) bytes[0];
        }

        @Override
        public String toString() {
            return sender + " " + label;
        }
    }

    /** What was recorded from servers of this major version. */
    public static List<Recording> ofServer(int version) {
        URL folder = Objects.requireNonNull(Recording.class.getResource("/recordings/" + version));
        try (Stream<Path> files = Files.list(Path.of(folder.toURI()))) {
            return files.sorted().map(Recording::read).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What was recorded from the servers of all versions. */
    public static List<Recording> all() {
        return Stream.of(15, 17, 18)
                .flatMap(version -> ofServer(version).stream())
                .toList();
    }

    /** All bytes of one side, in one piece. */
    public byte[] stream(Sender sender) {
        var out = new java.io.ByteArrayOutputStream();
        from(sender).forEach(message -> out.writeBytes(message.bytes()));
        return out.toByteArray();
    }

    public List<Message> from(Sender sender) {
        return messages.stream().filter(message -> message.sender() == sender).toList();
    }

    /**
     * What the side sent as messages with a type byte: without startup packets, and without the byte that answers a
     * request of encryption.
     */
    public List<Message> typed(Sender sender) {
        return from(sender).stream()
                .filter(message -> !message.label().startsWith("Startup")
                        && !message.label().endsWith("Request"))
                .filter(message -> message.bytes().length >= 5)
                .toList();
    }

    static Recording read(Path file) {
        List<Message> messages = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                String[] parts = line.split(" ", 3);
                Sender sender = parts[0].equals("F") ? Sender.FRONTEND : Sender.BACKEND;
                messages.add(new Message(sender, HexFormat.of().parseHex(parts[1]), parts[2]));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Recording(
                Objects.requireNonNull(file.getParent()).getFileName() + "/" + file.getFileName(),
                List.copyOf(messages));
    }

    void write(Path file, String heading) throws IOException {
        StringBuilder text = new StringBuilder("# ").append(heading).append('\n');
        for (Message message : messages) {
            text.append(message.sender().name().charAt(0))
                    .append(' ')
                    .append(HexFormat.of().formatHex(message.bytes()))
                    .append(' ')
                    .append(message.label())
                    .append('\n');
        }
        Files.writeString(file, text);
    }

    @Override
    public String toString() {
        return name;
    }
}
