package io.plenum.bench.faults;

import io.plenum.bench.rig.Target;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A client that goes from one exchange to the next until told to stop, and connects anew when its session is over. */
final class BusyClient implements Runnable {
    /** What a client is told to do at its next exchange. */
    enum Order {
        NONE,
        /** Be gone in the middle of it. */
        DIE,
        /** Run a query that takes too long. */
        TAKE_TOO_LONG
    }

    private static final Duration SILENCE = Duration.ofMillis(50);
    private static final Duration DYING = Duration.ofMillis(200);

    /** One client in so many listens. */
    private static final int LISTENERS = 4;

    /**
     * What the clients of a run have in common.
     *
     * @param startWorkMem what a new session has for work_mem
     * @param pinPlaces how many of them may keep a server at once
     */
    record Setting(
            Target target,
            FaultOptions options,
            String startWorkMem,
            Semaphore pinPlaces,
            ListenerAbsences absences,
            Tally tally,
            BooleanSupplier running) {}

    private final int number;
    private final Setting setting;
    private final Target target;
    private final Tally tally;
    private final SplittableRandom random;
    private final BooleanSupplier running;
    private final AtomicReference<Order> order = new AtomicReference<>(Order.NONE);
    private volatile @Nullable WireClient session;
    /** The session that was asked to be cancelled last: only that one may see a cancelled query. */
    private volatile @Nullable WireClient cancelled;

    private int sessions;

    BusyClient(int number, Setting setting, SplittableRandom random) {
        this.number = number;
        this.setting = setting;
        this.target = setting.target();
        this.tally = setting.tally();
        this.random = random;
        this.running = setting.running();
    }

    /** Any thread. */
    void tell(Order what) {
        order.set(what);
    }

    /** Any thread: sends a cancel request for whatever this client runs; gives whether there was somebody to cancel. */
    boolean cancel() {
        var client = session;
        if (client == null) {
            return false;
        }
        cancelled = client;
        try {
            client.cancel();
            return true;
        } catch (IOException | RuntimeException _) {
            return false; // its socket was closed in the same moment
        }
    }

    @Override
    public void run() {
        while (running.getAsBoolean()) {
            var client = connect();
            if (client != null) {
                try {
                    session = client;
                    live(client);
                } finally {
                    session = null;
                    close(client);
                }
            }
        }
    }

    private void live(WireClient client) {
        var token = "c%dx%d-%s".formatted(number, ++sessions, Long.toHexString(random.nextLong()));
        var exchanges = new Exchanges(token, random, setting.options().queryTimeout());
        var notifications = new Notifications(token, tally, setting.absences());
        var states = new SessionExchanges(
                token,
                number,
                random,
                setting.startWorkMem(),
                setting.pinPlaces(),
                number % LISTENERS == 0 ? notifications : null,
                exchanges::forgetStatements,
                tally);
        var judge = new Judge(client, token, tally, notifications, () -> Objects.equals(cancelled, client));
        boolean over = false;
        while (!over && running.getAsBoolean()) {
            try {
                over = !goOn(client, judge, exchanges, states);
            } finally {
                states.onOver();
            }
            notifications.expire(System.nanoTime());
        }
        if (over) {
            tally.count("sessions that ended");
            return;
        }
        do {
            sleep(SILENCE);
            over = judge.expectSilence();
            notifications.expire(System.nanoTime());
        } while (!over && notifications.isAwaiting());
    }

    /** One exchange; gives whether the session goes on behind it. */
    private boolean goOn(WireClient client, Judge judge, Exchanges exchanges, SessionExchanges states) {
        var told = order.getAndSet(Order.NONE);
        Exchange exchange;
        if (told == Order.TAKE_TOO_LONG) {
            exchange = exchanges.tooLong();
        } else if (setting.options().sessionState() && random.nextInt(3) == 0) {
            exchange = states.next();
        } else {
            exchange = exchanges.next();
        }
        tally.count("exchange: " + exchange.kind());
        if (told == Order.DIE) {
            die(client, judge, exchange);
            return false;
        }
        return switch (judge.run(exchange)) {
            case ANSWERED -> {
                exchange.whenAnswered().run();
                yield true;
            }
            case FAILED -> {
                tally.count("failed by a fault");
                yield !exchange.endsWhenFailed();
            }
            case OVER -> false;
        };
    }

    private @Nullable WireClient connect() {
        try {
            return target.connect();
        } catch (ServerErrorException e) {
            var state = String.valueOf(e.sqlState());
            if (state.startsWith("57P0") || state.startsWith("08")) {
                tally.lose("at login: " + e.getMessage());
            } else {
                tally.wrong.increment();
                tally.find("client %d was refused: %s".formatted(number, e.getMessage()));
            }
        } catch (IOException e) {
            tally.missing.increment();
            tally.find("client %d could not log in: %s".formatted(number, e));
        }
        sleep(DYING);
        return null;
    }

    /** Goes away in the middle of an exchange: after some bytes of a step were sent, or after some of its reply were read. */
    private void die(WireClient client, Judge judge, Exchange exchange) {
        int last = random.nextInt(exchange.steps().size());
        for (var step : exchange.steps().subList(0, last)) {
            if (judge.run(exchange, step) != Judge.Verdict.ANSWERED) {
                return;
            }
        }
        var request = exchange.steps().get(last).request();
        try {
            if (random.nextInt(3) == 0) {
                client.timeout(DYING);
                client.sendRaw(request);
                client.input().skipNBytes(random.nextInt(1, 400));
            } else {
                client.sendPart(request, 0, random.nextInt(request.length));
            }
            if (random.nextBoolean()) {
                client.kill();
            } else {
                client.socket().close();
            }
        } catch (IOException _) {
            // nothing left to kill, or fewer bytes came than it wanted to read
        }
    }

    private static void close(WireClient client) {
        try {
            client.close();
        } catch (IOException _) {
            // it is closed
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
