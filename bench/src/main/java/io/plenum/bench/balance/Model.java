package io.plenum.bench.balance;

import io.plenum.routing.balance.BalancePolicy;
import io.plenum.routing.balance.Balancer;
import io.plenum.routing.balance.Hashes;
import io.plenum.routing.balance.NearFirst;
import io.plenum.routing.balance.Standing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Clients that each ask, wait for the answer and ask again, over two event loops with a balancer each, which knows no more
 * than what its own loop has in flight; standbys that serve so many reads at once and let the rest wait in order.
 */
final class Model {
    static final int LOOPS = 2;
    private static final int KEYS = 1_000;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final long REFRESH_NANOS = 100_000_000L;

    /** A read that ends, and the client that then asks again. */
    private record End(long atNanos, int client, int standby, long askedNanos) {}

    private final BalancePolicy policy;
    private final List<Standby> standbys;
    private final int clients;
    private final boolean zoned;
    private final int perLoop;
    private final double slowStartSeconds;
    private final Comings comings;
    private final Random random;

    private final PriorityQueue<End> ends =
            new PriorityQueue<>((one, other) -> Long.compare(one.atNanos, other.atNanos));
    private final Loop[] loops = new Loop[LOOPS];
    private final long[][] freeAt;
    private long nowNanos;

    /** When the last standby joins, 0 if it is there from the beginning; and when the first one leaves. */
    record Comings(double joinsAfterSeconds, double leavesAfterSeconds) {
        static final Comings NONE = new Comings(0, Double.POSITIVE_INFINITY);

        boolean isThere(int standby, int last, long nowNanos) {
            double seconds = nowNanos / 1e9;
            return standby == last ? seconds >= joinsAfterSeconds : standby != 0 || seconds < leavesAfterSeconds;
        }
    }

    Model(
            BalancePolicy policy,
            List<Standby> standbys,
            int clients,
            int perLoop,
            boolean zoned,
            double slowStartSeconds,
            Comings comings,
            long seed) {
        this.policy = policy;
        this.standbys = standbys;
        this.clients = clients;
        this.perLoop = perLoop;
        this.zoned = zoned;
        this.slowStartSeconds = slowStartSeconds;
        this.comings = comings;
        this.random = new Random(seed);
        this.freeAt = standbys.stream().map(one -> new long[one.atOnce()]).toArray(long[][]::new);
        for (int i = 0; i < LOOPS; i++) {
            loops[i] = new Loop(seed + i);
        }
    }

    static Outcome run(BalancePolicy policy, List<Standby> standbys, int clients) {
        return new Model(policy, standbys, clients, Integer.MAX_VALUE, false, 0, Comings.NONE, 1).run(2, 22);
    }

    /** Counts what ends between the two moments. */
    Outcome run(double fromSeconds, double toSeconds) {
        long from = (long) (fromSeconds * 1e9);
        long to = (long) (toSeconds * 1e9);
        long[] counts = new long[standbys.size()];
        List<Double> millis = new ArrayList<>();
        if (ends.isEmpty()) {
            for (int client = 0; client < clients; client++) {
                ask(client);
            }
        }
        while (!ends.isEmpty() && ends.peek().atNanos < to) {
            End end = ends.remove();
            nowNanos = end.atNanos;
            Loop loop = loops[end.client % LOOPS];
            loop.inFlight[end.standby]--;
            long took = nowNanos - end.askedNanos;
            loop.standings.get(end.standby).onAnswer(took, nowNanos);
            if (nowNanos >= from) {
                counts[end.standby]++;
                millis.add(took / NANOS_PER_MILLI);
            }
            ask(end.client);
        }
        double total = Arrays.stream(counts).sum();
        millis.sort(null);
        return new Outcome(
                Arrays.stream(counts).mapToDouble(count -> count / total).toArray(),
                total / (toSeconds - fromSeconds),
                millis.get(millis.size() / 2),
                millis.get((int) (millis.size() * 0.99)));
    }

    private void ask(int client) {
        Loop loop = loops[client % LOOPS];
        int standby = loop.choose();
        loop.inFlight[standby]++;
        long[] free = freeAt[standby];
        int first = 0;
        for (int i = 1; i < free.length; i++) {
            first = free[i] < free[first] ? i : first;
        }
        double mean = standbys.get(standby).millis();
        double millis = mean * (0.5 + 0.5 * -Math.log(1 - random.nextDouble())); // a fixed part and a varying one
        free[first] = Math.max(free[first], nowNanos) + (long) (millis * NANOS_PER_MILLI);
        ends.add(new End(free[first], client, standby, nowNanos));
    }

    /** One event loop. */
    private final class Loop {
        private final int[] inFlight = new int[standbys.size()];
        private final List<Standing> standings = new ArrayList<>();
        private final Balancer balancer;
        private int[] present = new int[0];
        private double[] weights = new double[0];
        private long refreshedNanos = -REFRESH_NANOS;

        Loop(long seed) {
            var chance = new Random(seed);
            balancer = zoned
                    ? new NearFirst(() -> policy.create(new Random(chance.nextLong())))
                    : policy.create(new Random(chance.nextLong()));
            for (int i = 0; i < standbys.size(); i++) {
                standings.add(new Standing());
            }
        }

        int choose() {
            if (nowNanos - refreshedNanos >= REFRESH_NANOS) {
                refreshedNanos = nowNanos;
                refresh();
            }
            int[] among = present;
            int key = random.nextInt(KEYS);
            return among[
                    balancer.choose(among.length, new Balancer.Loads() {
                        @Override
                        public int inFlight(int candidate) {
                            return inFlight[among[candidate]];
                        }

                        @Override
                        public double latencyNanos(int candidate) {
                            return standings.get(among[candidate]).latency().valueAt(nowNanos);
                        }

                        @Override
                        public boolean isFull(int candidate) {
                            return inFlight[among[candidate]] >= perLoop;
                        }

                        @Override
                        public long key() {
                            return Hashes.of("user " + key);
                        }
                    })];
        }

        private void refresh() {
            int last = standbys.size() - 1;
            long slowStart = (long) (slowStartSeconds * 1e9);
            int[] nextPresent = IntStream.rangeClosed(0, last)
                    .filter(i -> comings.isThere(i, last, nowNanos))
                    .toArray();
            double[] nextWeights = new double[nextPresent.length];
            for (int i = 0; i < nextPresent.length; i++) {
                Standing standing = standings.get(nextPresent[i]);
                standing.join(nextPresent[i] == last ? nowNanos : -slowStart);
                double grown = balancer.usesKey() ? 1 : standing.grown(slowStart, nowNanos);
                nextWeights[i] = standbys.get(nextPresent[i]).weight() * grown;
            }
            if (!Arrays.equals(weights, nextWeights) || !Arrays.equals(present, nextPresent)) {
                present = nextPresent;
                weights = nextWeights;
                prepare();
            }
        }

        private void prepare() {
            String[] names = new String[present.length];
            boolean[] near = new boolean[present.length];
            for (int i = 0; i < names.length; i++) {
                names[i] = "10.0.0." + (present[i] + 1) + ":5432";
                near[i] = standbys.get(present[i]).near();
            }
            if (balancer instanceof NearFirst first) {
                first.setNear(near);
            }
            balancer.prepare(weights.clone(), names);
        }
    }
}
