package io.plenum.pooler.link;

import io.plenum.testbed.Message;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * A client's own account of which of its messages are still to be answered, by the rules of the manual, "Message Flow".
 *
 * <p>It lets a player stop reading at the right message whatever it has sent. It shares nothing with the pooler's account.
 */
final class OwedReplies {
    private final Deque<Utterance> owed = new ArrayDeque<>();
    private boolean skipping;
    private boolean copying;
    private boolean ended;

    void onSent(Utterance message) {
        owed.add(message);
        if (copying) {
            consume();
        }
        settle();
    }

    /** Whether the server will send more without being sent more. */
    boolean isWaiting() {
        return !ended && !copying && owed.stream().anyMatch(message -> "SQFH".indexOf(message.type()) >= 0);
    }

    /** Whether COPY data are what the server waits for. */
    boolean isCopying() {
        return copying;
    }

    /** Whether nothing is open: no reply, no group, no COPY. */
    boolean isSettled() {
        return owed.isEmpty() && !skipping && !copying;
    }

    /** Whether the server has said its last word. */
    boolean isEnded() {
        return ended;
    }

    /** Takes note of a reply; says whether it is one that was owed. */
    boolean onReply(Message reply) {
        char type = reply.type();
        if ("NSA".indexOf(type) >= 0) {
            return true;
        }
        if (type == 'E' && "FATAL".equals(reply.field('V'))) {
            ended = true;
            return true;
        }
        Utterance head = owed.peek();
        if (head == null) {
            return false;
        }
        boolean fits = fits(type, head.type());
        switch (type) {
            case 'E' -> {
                copying = false;
                if ("SQF".indexOf(head.type()) < 0) {
                    owed.remove();
                    skipping = true;
                }
            }
            case 'G' -> {
                copying = true;
                consume();
            }
            case 'C', 'I', 's' -> {
                copying = false;
                if (head.type() == 'E') {
                    owed.remove();
                }
            }
            case 'T', 'n' -> {
                if (head.type() == 'D') {
                    owed.remove();
                }
            }
            case '1', '2', '3', 'Z' -> owed.remove();
            default -> {
                // one of several
            }
        }
        settle();
        return fits;
    }

    private static boolean fits(char reply, char message) {
        return switch (reply) {
            case '1' -> message == 'P';
            case '2' -> message == 'B';
            case '3' -> message == 'C';
            case 't' -> message == 'D';
            case 'T' -> message == 'D' || message == 'Q';
            case 'n' -> message == 'D';
            case 'D', 'C', 'I', 'G', 'H', 'd', 'c' -> message == 'E' || message == 'Q';
            case 's' -> message == 'E';
            case 'V' -> message == 'F';
            case 'Z' -> message == 'S' || message == 'Q' || message == 'F';
            case 'E' -> true;
            default -> false;
        };
    }

    /** Takes out what will not be answered. */
    private void settle() {
        if (copying) {
            return;
        }
        for (Utterance head = owed.peek(); head != null; head = owed.peek()) {
            if (skipping) {
                if (head.type() == 'S') {
                    skipping = false;
                    return;
                }
            } else if ("HdcfX".indexOf(head.type()) < 0) {
                return;
            }
            owed.remove();
        }
    }

    /** Takes out what the COPY uses up, which the oldest message began. */
    private void consume() {
        Iterator<Utterance> behind = owed.iterator();
        behind.next();
        while (copying && behind.hasNext()) {
            Utterance message = behind.next();
            behind.remove();
            copying = switch (message.type()) {
                case 'd' -> !message.fails();
                case 'H', 'S' -> true;
                default -> false;
            };
        }
    }
}
