package io.plenum.bench.cancel;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.Target;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Two clients share one server connection. The first one's query is cancelled at a random instant, often just when it ends; the second one's
 * queries run in between. PostgreSQL cancels whatever runs in the backend when the signal arrives, so a pooler that hands the connection over too
 * early lets the cancel hit the second client.
 */
public final class CancelRaces {
    private static final String CANCELED = "57014";
    private static final int MAX_FINDINGS = 20;

    private final Target target;
    private final int races;
    private final SplittableRandom random;
    private final AtomicBoolean done = new AtomicBoolean();
    private final List<String> findings = Collections.synchronizedList(new ArrayList<>());

    private CancelRaces(Target target, int races, long seed) {
        this.target = target;
        this.races = races;
        this.random = new SplittableRandom(seed);
    }

    /**
     * Runs the races; the target's pool must hold one server connection.
     *
     * @param progress is told how far it is, a line at a time
     */
    public static CancelReport run(Target target, int races, long seed, Consumer<String> progress) {
        return new CancelRaces(target, races, seed).run(progress);
    }

    private CancelReport run(Consumer<String> progress) {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var bystander = random.split();
            Future<Integer> wrong = threads.submit(() -> beBystander(bystander));
            int delivered;
            try {
                delivered = race(threads::submit, progress);
            } finally {
                done.set(true);
            }
            return new CancelReport(races, wrong.get(), delivered, List.copyOf(findings));
        } catch (IOException | ExecutionException e) {
            throw new BenchException("the races broke off: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    private interface Submitter {
        Future<?> submit(Runnable task);
    }

    private int race(Submitter threads, Consumer<String> progress)
            throws IOException, InterruptedException, ExecutionException {
        int delivered = 0;
        try (var client = target.connect()) {
            long usualNanos = roundTripNanos(client);
            for (int race = 1; race <= races; race++) {
                var token = "a" + race;
                int sleepMicros = random.nextInt(200, 1_500);
                // Most often while the query waits or runs, at times when it has just ended.
                long cancelAfterNanos = random.nextLong(usualNanos);
                client.send(sleep(token, sleepMicros, random.nextBoolean()));
                var cancel = threads.submit(() -> {
                    LockSupport.parkNanos(cancelAfterNanos);
                    cancel(client);
                });
                var answer = answer(client.readUntilReady());
                cancel.get();
                if (answer.endsWith(CANCELED)) { // the row may have come before it
                    delivered++;
                } else if (!answer.equals(token)) {
                    throw new BenchException("the first client asked for " + token + " and heard " + answer);
                }
                if (race % 1_000 == 0) {
                    progress.accept("%d races, %d delivered".formatted(race, delivered));
                }
            }
        }
        return delivered;
    }

    /** How long a query takes that nobody cancels: it has to wait for the one server connection. */
    private long roundTripNanos(WireClient client) throws IOException {
        int queries = 50;
        long start = System.nanoTime();
        for (int i = 0; i < queries; i++) {
            client.send(sleep("warm", random.nextInt(200, 1_500), random.nextBoolean()));
            client.readUntilReady();
        }
        return (System.nanoTime() - start) / queries;
    }

    private static void cancel(WireClient client) {
        try {
            client.cancel();
        } catch (IOException e) {
            throw new BenchException("the cancel request found no listener: " + e.getMessage(), e);
        }
    }

    /** Runs queries that nobody cancels until the races are over; gives how many went wrong. */
    private int beBystander(SplittableRandom own) throws IOException {
        int wrong = 0;
        long query = 0;
        var client = target.connect();
        try {
            while (!done.get()) {
                LockSupport.parkNanos(own.nextLong(300_000)); // leaves the first client its turn
                var token = "b" + ++query;
                String answer;
                try {
                    client.send(sleep(token, own.nextInt(100, 500), own.nextBoolean()));
                    answer = answer(client.readUntilReady());
                } catch (IOException e) {
                    answer = "the end of its connection (" + e.getMessage() + ")";
                    client.close();
                    client = target.connect();
                }
                if (!answer.equals(token)) {
                    wrong++;
                    if (findings.size() < MAX_FINDINGS) {
                        findings.add("the second client asked for " + token + " and heard " + answer);
                    }
                }
            }
        } finally {
            client.close();
        }
        return wrong;
    }

    private static byte[] sleep(String token, int micros, boolean extended) {
        var seconds = Duration.ofNanos(micros * 1_000L).toNanos() / 1e9;
        return extended
                ? Frames.join(
                        Frames.parse("", "SELECT $1::text FROM pg_sleep($2::float8)"),
                        Frames.bind("", "", token, Double.toString(seconds)),
                        Frames.execute(),
                        Frames.sync())
                : Frames.query("SELECT '%s' FROM pg_sleep(%s)".formatted(token, seconds));
    }

    /** The one value of the answer, or the SQLSTATE of the error in it. */
    private static String answer(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'D' || message.type() == 'E')
                .map(message -> message.type() == 'E'
                        ? Objects.requireNonNullElse(message.field('C'), "an error without SQLSTATE")
                        : String.valueOf(message.columns().getFirst()))
                .reduce((first, second) -> first + " and " + second)
                .orElse("nothing");
    }
}
