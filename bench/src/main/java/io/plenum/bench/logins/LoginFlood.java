package io.plenum.bench.logins;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.Target;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Good logins among bad ones: connections that are held open without logging in, from a few addresses, and wrong passwords
 * and names from the very address that the good logins come from.
 *
 * <p>Whoever holds connections opens each anew when it is closed. Of the wrong logins one in ten is for the user who logs
 * in, the others for one of {@value #NAMES} names that do not exist.
 */
public final class LoginFlood {
    private static final int NAMES = 5_000;
    private static final int ADDRESSES = 5;
    private static final int MAX_FINDINGS = 20;
    private static final int TIMEOUT_MILLIS = 10_000;
    private static final String NONCE = "abcdefghijklmnopqrstuvwx";
    private static final byte[] FIRST = ("n,,n=,r=" + NONCE).getBytes(StandardCharsets.US_ASCII);

    /** How much of each there is. */
    public record Load(int halfOpen, int wrongPerSecond, int goodPerSecond, Duration time) {}

    private final Target target;
    private final String user;
    private final String password;
    private final Load load;
    private final AtomicBoolean done = new AtomicBoolean();
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicInteger wrong = new AtomicInteger();
    private final AtomicInteger letIn = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final List<Long> goodNanos = Collections.synchronizedList(new ArrayList<>());
    private final List<String> findings = Collections.synchronizedList(new ArrayList<>());

    private LoginFlood(Target target, String user, String password, Load load) {
        this.target = target;
        this.user = user;
        this.password = password;
        this.load = load;
    }

    /**
     * Runs the load.
     *
     * @param user who logs in
     * @param progress is told how far it is, a line at a time
     */
    public static LoginsReport run(Target target, String user, String password, Load load, Consumer<String> progress) {
        return new LoginFlood(target, user, password, load).run(progress);
    }

    private LoginsReport run(Consumer<String> progress) {
        boolean counted = prepare();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < load.halfOpen(); i++) {
                int number = i;
                threads.submit(() -> hold(number));
            }
            awaitHeld();
            progress.accept("%d connections are held".formatted(held.get()));
            long asked = counted ? calls() : 0;
            long begin = System.nanoTime();
            attack(threads, progress);
            double seconds = (System.nanoTime() - begin) / 1e9;
            double rate = counted ? (calls() - asked) / seconds : -1;
            int heldAtTheEnd = held.get();
            done.set(true);
            threads.shutdownNow(); // those who hold wait for something that never comes
            return report(heldAtTheEnd, rate);
        } catch (IOException e) {
            throw new BenchException("the flood broke off: " + e.getMessage(), e);
        }
    }

    /** Makes what the query counts itself by, where PostgreSQL can be reached; and logs in once, as a user has before. */
    private boolean prepare() {
        boolean counted = target.port() != target.postgresPort();
        try {
            if (counted) {
                try (var control = target.connectDirectly()) {
                    control.rows("CREATE SEQUENCE IF NOT EXISTS public.auth_calls");
                }
            }
            WireClient.connect(target.host(), target.port(), target.database(), user, password)
                    .close();
            return counted;
        } catch (IOException e) {
            throw new BenchException("cannot log in as " + user + ": " + e.getMessage(), e);
        }
    }

    private long calls() throws IOException {
        try (var control = target.connectDirectly()) {
            return Long.parseLong(control.value("SELECT last_value FROM public.auth_calls"));
        }
    }

    private void awaitHeld() {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (held.get() < load.halfOpen() * 9 / 10 && System.nanoTime() < deadline) {
            LockSupport.parkNanos(50_000_000);
        }
    }

    private void attack(ExecutorService threads, Consumer<String> progress) {
        long begin = System.nanoTime();
        long wrongBegun = 0;
        long goodBegun = 0;
        long told = 0;
        while (true) {
            double seconds = (System.nanoTime() - begin) / 1e9;
            if (seconds >= load.time().toSeconds()) {
                return;
            }
            for (; wrongBegun < seconds * load.wrongPerSecond(); wrongBegun++) {
                long number = wrongBegun;
                threads.submit(() -> guess(number));
            }
            for (; goodBegun < seconds * load.goodPerSecond(); goodBegun++) {
                threads.submit(this::logIn);
            }
            if ((long) seconds / 10 > told) {
                told = (long) seconds / 10;
                progress.accept("%d s: %d good logins, %d wrong ones, %d connections held"
                        .formatted((long) seconds, goodNanos.size(), wrong.get(), held.get()));
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    /** Every other one says who it wants to be, and then no more. */
    private void hold(int number) {
        while (!done.get()) {
            try (var socket = new Socket()) {
                if (target.host().startsWith("127.")) {
                    socket.bind(new InetSocketAddress("127.1.0." + (1 + number % ADDRESSES), 0));
                }
                socket.connect(new InetSocketAddress(target.host(), target.port()), TIMEOUT_MILLIS);
                if (number % 2 == 0) {
                    socket.getOutputStream().write(startup("held" + number));
                }
                held.incrementAndGet();
                try {
                    var in = socket.getInputStream();
                    while (in.read() >= 0) {
                        // whatever it is asked for
                    }
                } finally {
                    held.decrementAndGet();
                }
            } catch (IOException e) {
                LockSupport.parkNanos(10_000_000);
            }
            LockSupport.parkNanos(100_000_000);
        }
    }

    private byte[] startup(String name) {
        return Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", name, "database", target.database()));
    }

    /** A SCRAM exchange with a proof of nothing, which costs the one who makes it up no hashes. */
    private void guess(long number) {
        String name = number % 10 == 0 ? user : "nobody" + number % NAMES;
        try (var client = WireClient.open(target.host(), target.port())) {
            client.timeout(Duration.ofMillis(TIMEOUT_MILLIS));
            client.send(startup(name));
            Message request = client.read();
            if (request.type() == 'R') {
                client.send(Frames.password(initialResponse()));
                Message challenge = client.read();
                client.send(Frames.password(finalMessage(challenge)));
                Message answer = client.read();
                if (answer.type() != 'E') {
                    letIn.incrementAndGet();
                    find("%s got in with a proof of nothing".formatted(name));
                }
            }
            wrong.incrementAndGet();
        } catch (IOException e) {
            wrong.incrementAndGet(); // pushed out by those who came after it
        }
    }

    /** Manual, "Message Formats", SASLInitialResponse. */
    private static byte[] initialResponse() {
        byte[] mechanism = "SCRAM-SHA-256\0".getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(mechanism.length + Integer.BYTES + FIRST.length)
                .put(mechanism)
                .putInt(FIRST.length)
                .put(FIRST)
                .array();
    }

    private static byte[] finalMessage(Message challenge) {
        byte[] body = challenge.body();
        String text = new String(body, Integer.BYTES, body.length - Integer.BYTES, StandardCharsets.US_ASCII);
        String nonce = text.startsWith("r=") && text.indexOf(',') > 0 ? text.substring(2, text.indexOf(',')) : NONCE;
        String proof = Base64.getEncoder().encodeToString(new byte[32]);
        return "c=biws,r=%s,p=%s".formatted(nonce, proof).getBytes(StandardCharsets.US_ASCII);
    }

    private void logIn() {
        long begin = System.nanoTime();
        try (var _ = WireClient.connect(target.host(), target.port(), target.database(), user, password)) {
            goodNanos.add(System.nanoTime() - begin);
        } catch (ServerErrorException e) {
            fail(e.sqlState() + " " + e.getMessage());
        } catch (IOException e) {
            fail(e.toString());
        }
    }

    private void fail(String reason) {
        if (!done.get()) {
            failed.incrementAndGet();
            find("a good login failed: " + reason);
        }
    }

    private void find(String finding) {
        if (findings.size() < MAX_FINDINGS) {
            findings.add(finding);
        }
    }

    private LoginsReport report(int heldAtTheEnd, double asked) {
        List<Long> sorted;
        synchronized (goodNanos) {
            sorted = goodNanos.stream().sorted().toList();
        }
        return new LoginsReport(
                sorted.size() + failed.get(),
                failed.get(),
                quantile(sorted, 0.5),
                quantile(sorted, 0.99),
                wrong.get(),
                letIn.get(),
                heldAtTheEnd,
                asked,
                List.copyOf(findings));
    }

    private static double quantile(List<Long> sorted, double share) {
        return sorted.isEmpty()
                ? Double.NaN
                : sorted.get((int) Math.min(sorted.size() - 1L, Math.round(share * sorted.size()))) / 1e6;
    }
}
