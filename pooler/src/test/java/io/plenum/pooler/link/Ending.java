package io.plenum.pooler.link;

import static io.plenum.pooler.link.Mutator.run;

import io.plenum.pooler.link.Mutator.Protocol;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;

/** What becomes of the transaction in which a session was changed, and of the client. */
enum Ending {
    NO_TRANSACTION,
    COMMIT,
    ROLLBACK,
    ROLLBACK_TO_SAVEPOINT,
    ERROR,
    CANCEL,
    CANCEL_IN_TRANSACTION,
    STATEMENT_TIMEOUT,
    DISCONNECT_IN_TRANSACTION,
    /** The change and the beginning of a transaction are sent together. */
    DISCONNECT_IN_NEXT_TRANSACTION,
    DISCONNECT;

    private static final Duration BETWEEN_CANCELS = Duration.ofMillis(15);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Whether the client is there afterwards. */
    boolean leavesClient() {
        return this != DISCONNECT && this != DISCONNECT_IN_TRANSACTION && this != DISCONNECT_IN_NEXT_TRANSACTION;
    }

    /** Whether PostgreSQL has a rule of its own for what stays after it. */
    boolean isOwnKind() {
        return this == NO_TRANSACTION || this == COMMIT || this == ROLLBACK || this == ROLLBACK_TO_SAVEPOINT;
    }

    /** Changes the session and ends as this says. */
    void play(WireClient client, Mutator mutator, Protocol protocol) throws IOException {
        switch (this) {
            case NO_TRANSACTION -> mutator.run(client, protocol);
            case COMMIT -> {
                run(client, protocol, "BEGIN");
                mutator.run(client, protocol);
                run(client, protocol, "COMMIT");
            }
            case ROLLBACK -> {
                run(client, protocol, "BEGIN");
                mutator.run(client, protocol);
                run(client, protocol, "ROLLBACK");
            }
            case ROLLBACK_TO_SAVEPOINT -> {
                run(client, protocol, "BEGIN");
                run(client, protocol, "SAVEPOINT before");
                mutator.run(client, protocol);
                run(client, protocol, "ROLLBACK TO before");
                run(client, protocol, "COMMIT");
            }
            case ERROR -> {
                run(client, protocol, "BEGIN");
                mutator.run(client, protocol);
                requireCode("22012", run(client, protocol, "SELECT 1/0"));
                run(client, protocol, "ROLLBACK");
            }
            case CANCEL -> {
                mutator.run(client, protocol);
                sleepAndCancel(client, protocol);
            }
            case CANCEL_IN_TRANSACTION -> {
                run(client, protocol, "BEGIN");
                mutator.run(client, protocol);
                sleepAndCancel(client, protocol);
                run(client, protocol, "ROLLBACK");
            }
            case STATEMENT_TIMEOUT -> {
                run(client, protocol, "BEGIN");
                mutator.run(client, protocol);
                run(client, protocol, "SET LOCAL statement_timeout = 1");
                requireCode("57014", run(client, protocol, "SELECT pg_sleep(20)"));
                run(client, protocol, "ROLLBACK");
            }
            case DISCONNECT_IN_TRANSACTION -> {
                run(client, protocol, "BEGIN");
                mutator.run(client, protocol);
                client.kill();
            }
            case DISCONNECT_IN_NEXT_TRANSACTION -> {
                mutator.runWith("BEGIN", client, protocol);
                client.kill();
            }
            case DISCONNECT -> {
                mutator.run(client, protocol);
                client.kill();
            }
        }
    }

    /** A cancel that comes before the statement runs does nothing, so it is asked for until it did something. */
    private static void sleepAndCancel(WireClient client, Protocol protocol) throws IOException {
        Mutator.send(client, protocol, "SELECT pg_sleep(20)");
        client.timeout(BETWEEN_CANCELS);
        do {
            client.cancel();
        } while (!hasAnswer(client));
        client.timeout(PATIENCE);
        requireCode("57014", client.readUntilReady());
        client.query(""); // ends the unnamed statement, which the cancel may have met before or behind its Parse
    }

    private static boolean hasAnswer(WireClient client) throws IOException {
        client.input().mark(1);
        try {
            int _ = client.input().readUnsignedByte();
            client.input().reset();
            return true;
        } catch (SocketTimeoutException silence) {
            return false;
        }
    }

    private static void requireCode(String code, List<Message> answer) {
        for (Message message : answer) {
            if (message.type() == 'E' && code.equals(message.field('C'))) {
                return;
            }
        }
        throw new IllegalStateException("expected " + code + ": " + answer);
    }
}
