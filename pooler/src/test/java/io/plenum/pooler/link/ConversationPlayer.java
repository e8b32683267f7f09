package io.plenum.pooler.link;

import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Segments;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Plays a generated conversation in a session of its own and writes down all that comes back.
 *
 * <p>A conversation is a list of turns; the messages of a turn go out in one write, and what they are owed is read before
 * the next. Whatever is open behind the last turn is ended, so that nothing is left unsaid: a reply too many shows too.
 */
final class ConversationPlayer {
    /** Stands in a transcript where a turn begins. */
    static final String TURN = "--";

    /** Stands in a transcript where PostgreSQL may have mixed up its transaction state: see {@link AllowedDifference}. */
    static final String BROKEN = "-- a group broken by a Query";

    /** Stands at the end of a transcript of which something that was owed did not come. */
    static final String SILENCE = "!! nothing more came";

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final OwedReplies owed = new OwedReplies();
    private final List<String> transcript = new ArrayList<>();
    private final WireClient client;
    private final Segments segments;
    private final Strangers strangers;
    private final Random random = new Random(7);
    private boolean unnamedPortal;

    /** An Execute is in the open group; or was in front of the last Sync, which may be one within a COPY. */
    private boolean executed;

    private boolean executedBefore;
    private boolean finished;

    private ConversationPlayer(WireClient client, Segments segments, Strangers strangers) {
        this.client = client;
        this.segments = segments;
        this.strangers = strangers;
    }

    /** The conversation's answers at this port; strangers come whenever it is between two of its transactions. */
    static List<String> play(int port, List<List<Utterance>> conversation, Segments segments, Strangers strangers)
            throws IOException {
        try (var client = RunningPooler.wire(port, Map.of(), null)) {
            client.timeout(PATIENCE);
            var player = new ConversationPlayer(client, segments, strangers);
            try {
                player.play(conversation);
            } catch (SocketTimeoutException silence) {
                player.transcript.add(SILENCE);
            } catch (EOFException | SocketException end) {
                player.transcript.add(player.finished ? "closed" : "!! closed");
            }
            return player.transcript;
        }
    }

    private void play(List<List<Utterance>> conversation) throws IOException {
        for (List<Utterance> turn : conversation) {
            say(turn);
            if (owed.isEnded()) {
                break;
            }
            if (owed.isSettled() && client.transactionStatus() == 'I') {
                strangers.meanwhile();
            }
        }
        if (!owed.isEnded() && owed.isCopying()) {
            say(List.of(Utterance.copyFail()));
        }
        if (!owed.isEnded()) {
            say(List.of(Utterance.sync()));
        }
        finished = true;
        client.send(Frames.terminate());
        while (true) { // up to the end of the stream: there must be nothing
            transcript.add("!! not owed: " + ScriptPlayer.normalised(client.read()));
        }
    }

    private void say(List<Utterance> turn) throws IOException {
        transcript.add(TURN);
        List<Utterance> said = turn.stream().filter(this::isSafe).toList();
        boolean breaksGroup = said.stream().filter(this::breaksGroup).count() > 0; // looks at all
        if (breaksGroup && client.transactionStatus() == 'I') {
            transcript.add(BROKEN);
        }
        segments.send(client, Frames.join(said.stream().map(Utterance::bytes).toArray(byte[][]::new)), random);
        said.forEach(owed::onSent);
        while (owed.isWaiting()) {
            Message reply = client.read();
            boolean fits = owed.onReply(reply);
            if (breaksGroup && endsTransaction(reply)) {
                transcript.add(BROKEN);
            }
            transcript.add((fits ? "" : "!! not owed: ") + ScriptPlayer.normalised(reply));
        }
    }

    /**
     * Not those that name an unnamed portal which is none of this group's: that of a utility statement which failed in a
     * simple Query stays in a failed transaction without the memory that it points to, and PostgreSQL 18.6 crashes.
     */
    private boolean isSafe(Utterance message) {
        switch (message.type()) {
            case 'B' -> unnamedPortal |= message.namesUnnamedPortal();
            case 'D', 'E' -> {
                return unnamedPortal || !message.namesUnnamedPortal();
            }
            case 'S', 'Q', 'F' -> unnamedPortal = false;
            default -> {
                // has no portal
            }
        }
        return true;
    }

    private static boolean endsTransaction(Message reply) {
        return reply.type() == 'C'
                && (reply.text().startsWith("COMMIT") || reply.text().startsWith("ROLLBACK"));
    }

    private boolean breaksGroup(Utterance message) {
        switch (message.type()) {
            case 'E' -> executed = true;
            case 'S' -> {
                executedBefore |= executed;
                executed = false;
            }
            case 'd', 'c', 'f' -> executed |= executedBefore; // the Sync was one within a COPY
            case 'H' -> {}
            case 'Q', 'F' -> {
                boolean breaks = executed;
                executed = false;
                executedBefore = false;
                return breaks;
            }
            default -> executedBefore = false;
        }
        return false;
    }
}
