package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;

import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Something that changes the state of a session. */
final class Mutator {
    /** How its statements are sent. */
    enum Protocol {
        SIMPLE,
        EXTENDED
    }

    /** What PostgreSQL itself leaves of it, and what the pooler promises of that. */
    enum Kept {
        /** It stays, and the client has it in its next transaction. */
        YES,
        /** It stays, but only a session of one's own has it: nobody sees in the text what a function does. */
        UNSEEN,
        /** It stays, but not for a client of a pool: the value of a sequence. */
        NOT_IN_A_POOL,
        /** Nothing stays: it ends with its transaction. */
        NO
    }

    /** One statement, with parameters for the extended protocol. */
    private record Step(String sql, @Nullable String[] parameters) {}

    private final String name;
    private final Kept kept;
    private final List<Step> steps = new ArrayList<>();
    private byte @Nullable [] frames;
    private String look = "SELECT 1";
    private boolean undetected;

    private Mutator(String name, Kept kept) {
        this.name = name;
        this.kept = kept;
    }

    /** Statements that stay in force. */
    static Mutator of(String name, String... statements) {
        return of(Kept.YES, name, statements);
    }

    static Mutator of(Kept kept, String name, String... statements) {
        var mutator = new Mutator(name, kept);
        for (String statement : statements) {
            mutator.steps.add(new Step(statement, new String[0]));
        }
        return mutator;
    }

    /** A statement with parameters: of the extended protocol only. */
    static Mutator asked(String name, String statement, @Nullable String... parameters) {
        var mutator = new Mutator(name, Kept.YES);
        mutator.steps.add(new Step(statement, parameters));
        return mutator;
    }

    /** Messages of the extended protocol, without the Sync that ends them. */
    static Mutator messages(String name, Kept kept, byte[]... frames) {
        var mutator = new Mutator(name, kept);
        mutator.frames = Frames.join(frames);
        return mutator;
    }

    /** The same, with a query that shows the client what it still has. */
    Mutator seenBy(String query) {
        look = query;
        return this;
    }

    /** The next client may find it: nothing that the pooler sees tells of it. */
    Mutator undetected() {
        undetected = true;
        return this;
    }

    boolean isUndetected() {
        return undetected;
    }

    String look() {
        return look;
    }

    Kept kept() {
        return kept;
    }

    boolean speaks(Protocol protocol) {
        boolean simple = frames == null && steps.stream().allMatch(step -> step.parameters().length == 0);
        return simple || protocol == Protocol.EXTENDED;
    }

    /** Runs it. What it answers must be no error, or nothing would have been changed. */
    void run(WireClient client, Protocol protocol) throws IOException {
        byte[] messages = frames;
        if (messages != null) {
            client.send(messages, sync());
            refuseErrors(client.readUntilReady());
        }
        for (Step step : steps) {
            List<Message> answer = run(client, protocol, step.sql(), step.parameters());
            while (step.sql().contains("pg_try_") && refusesLock(answer)) {
                answer = run(client, protocol, step.sql(), step.parameters()); // who held it is just being closed
            }
            refuseErrors(answer);
        }
    }

    private static boolean refusesLock(List<Message> answer) {
        return answer.stream()
                .anyMatch(message ->
                        message.type() == 'D' && "f".equals(message.columns().getFirst()));
    }

    /** Runs it with another statement right behind, all in one write. */
    void runWith(String behind, WireClient client, Protocol protocol) throws IOException {
        List<byte[]> all = new ArrayList<>();
        if (frames != null) {
            all.add(Frames.join(frames, sync()));
        }
        for (Step step : steps) {
            all.add(message(protocol, step.sql(), step.parameters()));
        }
        all.add(message(protocol, behind));
        client.send(all.toArray(byte[][]::new));
        for (int i = 0; i < all.size(); i++) {
            refuseErrors(client.readUntilReady());
        }
    }

    /** Sends one statement and reads up to ReadyForQuery. */
    static List<Message> run(WireClient client, Protocol protocol, String sql, @Nullable String... parameters)
            throws IOException {
        send(client, protocol, sql, parameters);
        return client.readUntilReady();
    }

    static void send(WireClient client, Protocol protocol, String sql, @Nullable String... parameters)
            throws IOException {
        client.send(message(protocol, sql, parameters));
    }

    private static byte[] message(Protocol protocol, String sql, @Nullable String... parameters) {
        return switch (protocol) {
            case SIMPLE -> query(sql);
            case EXTENDED -> Frames.join(parse("", sql), bind("", "", parameters), execute(), sync());
        };
    }

    private void refuseErrors(List<Message> answer) {
        for (Message message : answer) {
            if (message.type() == 'E') {
                throw new IllegalStateException(this + " changes nothing: " + message.text());
            }
        }
    }

    @Override
    public String toString() {
        return name
                + (steps.isEmpty()
                        ? ""
                        : ": " + String.join("; ", steps.stream().map(Step::sql).toList()))
                + (steps.size() == 1 && steps.getFirst().parameters().length > 0
                        ? " " + Arrays.toString(steps.getFirst().parameters())
                        : "");
    }
}
