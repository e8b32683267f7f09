package io.plenum.bench.faults;

import io.plenum.bench.faults.Exchange.Step;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/** Reads the replies to an exchange and says whether they are the right ones, no more and no fewer. Confined to the client's thread. */
final class Judge {
    /** What became of an exchange. */
    enum Verdict {
        /** All was answered as it must be. */
        ANSWERED,
        /** A fault ended it, and the session goes on. */
        FAILED,
        /** The session is over, or no longer to be trusted. */
        OVER
    }

    private static final String CANCELED = "57014";
    /** How many exchanges a finding tells of, for it is often an earlier one that did the harm. */
    private static final int RECENT = 5;

    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final WireClient client;
    private final String name;
    private final Tally tally;
    private final Notifications notifications;
    private final BooleanSupplier cancelled;
    private final Deque<String> recent = new ArrayDeque<>();

    /**
     * @param name of the client in findings
     * @param notifications is shown each NotificationResponse
     * @param cancelled whether somebody has asked to cancel a query of this session
     */
    Judge(WireClient client, String name, Tally tally, Notifications notifications, BooleanSupplier cancelled) {
        this.client = client;
        this.name = name;
        this.tally = tally;
        this.notifications = notifications;
        this.cancelled = cancelled;
    }

    /** Runs all steps, or as many as a fault lets. */
    Verdict run(Exchange exchange) {
        recent.addLast(exchange.kind());
        if (recent.size() > RECENT) {
            recent.removeFirst();
        }
        for (var step : exchange.steps()) {
            var verdict = run(exchange, step);
            if (verdict == Verdict.FAILED) {
                return endTransaction(exchange);
            }
            if (verdict == Verdict.OVER) {
                return verdict;
            }
        }
        return hasMore() ? Verdict.OVER : Verdict.ANSWERED;
    }

    /** Sends one step and judges its groups. A group that fails does not spoil those behind it. */
    Verdict run(Exchange exchange, Step step) {
        try {
            client.send(step.request());
        } catch (IOException _) {
            // The reason is among what can still be read: the pooler says why it closes.
        }
        var verdict = Verdict.ANSWERED;
        for (var group : step.groups()) {
            var ofGroup = judge(exchange, group);
            tally.replies.increment();
            if (ofGroup == Verdict.OVER) {
                return ofGroup;
            }
            if (ofGroup == Verdict.FAILED) {
                verdict = ofGroup;
            }
        }
        return verdict;
    }

    private Verdict judge(Exchange exchange, Group group) {
        int next = 0;
        boolean failed = false;
        boolean ownError = false;
        try {
            while (true) {
                if (!failed && next == group.expected().size() && group.end() != Group.End.READY) {
                    return Verdict.ANSWERED;
                }
                var message = client.read();
                switch (message.type()) {
                    case 'N', 'S' -> {
                        // may come at any time and belongs to no group
                    }
                    case 'A' -> notifications.onMessage(message); // too, and it must be this client's
                    case 'E' -> {
                        // A server that is killed just after an error says both.
                        if (failed && !isFatal(message)) {
                            return extra(exchange, message);
                        }
                        failed = true;
                        ownError = isOwn(group, message)
                                && next == group.expected().size();
                        if (!ownError && !explains(exchange, message)) {
                            return wrong(exchange, "%s %s".formatted(sqlState(message), message.field('M')));
                        }
                        if (isFatal(message)) {
                            return closing(exchange);
                        }
                        if (group.end() == Group.End.WAITS_FOR_SYNC) {
                            client.send(Frames.sync());
                        }
                    }
                    case 'Z' -> {
                        if (!failed
                                && (next < group.expected().size()
                                        || !group.error().isEmpty())) {
                            return missing(exchange, "ReadyForQuery came before " + awaited(group, next));
                        }
                        if (failed && !ownError) {
                            return Verdict.FAILED;
                        }
                        return message.transactionStatus() == group.status()
                                ? Verdict.ANSWERED
                                : wrong(exchange, "%s instead of status %s".formatted(message, group.status()));
                    }
                    default -> {
                        if (failed || next == group.expected().size()) {
                            return extra(exchange, message);
                        }
                        var expected = group.expected().get(next++);
                        if (!expected.matches(message)) {
                            return wrong(exchange, "expected %s, came %s".formatted(expected, message));
                        }
                    }
                }
            }
        } catch (SocketTimeoutException _) {
            return missing(exchange, "nothing came instead of " + awaited(group, next));
        } catch (EOFException | SocketException e) {
            return missing(
                    exchange, "the connection ended without a word (%s) before %s".formatted(e, awaited(group, next)));
        } catch (IOException | RuntimeException e) {
            return wrong(exchange, "what came cannot be read: " + e);
        }
    }

    /** Whether a fault of this run can be the cause; one that hit this client's server is noted, for there must be a fault for each. */
    private boolean explains(Exchange exchange, Message error) {
        var state = sqlState(error);
        if (exchange.mayTimeOut()) {
            return true; // how a pooler says that its query_timeout passed is its own affair
        }
        if (state.equals(CANCELED)) {
            return cancelled.getAsBoolean();
        }
        if (state.startsWith("57P0") || state.startsWith("08")) {
            tally.lose("%s %s".formatted(state, error.field('M')));
            return true;
        }
        return false;
    }

    private static boolean isOwn(Group group, Message error) {
        return !group.error().isEmpty() && group.error().equals(sqlState(error));
    }

    /** After FATAL nothing comes but the end. */
    private Verdict closing(Exchange exchange) throws IOException {
        client.timeout(CLOSE);
        try {
            return extra(exchange, client.read()); // after FATAL
        } catch (EOFException | SocketException _) {
            return Verdict.OVER;
        } catch (SocketTimeoutException _) {
            return missing(exchange, "the connection did not end after FATAL");
        }
    }

    /** Brings a session out of what is left of a transaction. */
    private Verdict endTransaction(Exchange exchange) {
        if (client.transactionStatus() == 'I') {
            return hasMore() ? Verdict.OVER : Verdict.FAILED;
        }
        var rollback = Step.of(Frames.query("ROLLBACK"), Group.of(Expected.complete("ROLLBACK")));
        return run(exchange, rollback) == Verdict.OVER || hasMore() ? Verdict.OVER : Verdict.FAILED;
    }

    /** Whether something is there although all replies have been read. */
    private boolean hasMore() {
        try {
            Message message;
            do {
                if (client.input().available() == 0) {
                    return false;
                }
                message = client.read();
                if (message.type() == 'A') {
                    notifications.onMessage(message);
                }
            } while (message.type() == 'A');
            if (message.type() == 'E' && isFatal(message)) {
                // Its server died just after the last reply; a pooler may or may not tell.
                tally.lose("after the last reply: %s %s".formatted(sqlState(message), message.field('M')));
                return true;
            }
            tally.extra.increment();
            tally.find(name + " had all replies, and then came " + message);
            return true;
        } catch (IOException _) {
            return true;
        }
    }

    /** For a client that has been idle for a moment: nothing but notifications may come to it. Gives whether the session is over. */
    boolean expectSilence() {
        return hasMore();
    }

    private Verdict wrong(Exchange exchange, String what) {
        tally.wrong.increment();
        return find(exchange, what);
    }

    private Verdict missing(Exchange exchange, String what) {
        tally.missing.increment();
        return find(exchange, what);
    }

    private Verdict extra(Exchange exchange, Message message) {
        tally.extra.increment();
        return find(exchange, "nobody asked for " + message);
    }

    private Verdict find(Exchange exchange, String what) {
        tally.find("%s, %s: %s; last came %s".formatted(name, exchange.kind(), what, recent));
        return Verdict.OVER;
    }

    private static String awaited(Group group, int next) {
        return next < group.expected().size()
                ? group.expected().get(next).toString()
                : group.error().isEmpty() ? "ReadyForQuery" : "error " + group.error();
    }

    private static String sqlState(Message error) {
        return Objects.requireNonNullElse(error.field('C'), "an error without SQLSTATE");
    }

    private static boolean isFatal(Message error) {
        var severity = Objects.requireNonNullElse(error.field('V'), error.field('S'));
        return "FATAL".equals(severity) || "PANIC".equals(severity);
    }
}
