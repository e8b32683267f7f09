package io.plenum.pooler.pool;

import io.plenum.routing.balance.Balancer;
import io.plenum.routing.balance.NearFirst;
import io.plenum.routing.balance.Outliers;
import io.plenum.routing.balance.Standing;
import io.plenum.routing.topology.Node;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The standbys of one database and user among which one loop balances its reads, and the choice among them.
 *
 * <p>The topology says which are fit ({@link #become}); of those the ones that take part, and their weights, are looked at
 * anew several times a second ({@link #refresh}), so that a choice costs nothing but the choice. Confined to its event
 * loop.
 */
final class ReadCandidates implements Balancer.Loads {
    private static final Logger LOG = LoggerFactory.getLogger(ReadCandidates.class);
    private static final Pool[] NONE = {};

    private BalanceSettings settings;
    private Balancer balancer;
    private Pool[] fit = NONE;
    private int[] weights = new int[0];
    private String[] zones = new String[0];

    /** Those that take part, and what the balancer knows of them. */
    private Pool[] candidates = NONE;

    private double[] shares = new double[0];
    private boolean[] taking = new boolean[0];
    private long key;
    private long nowNanos;

    ReadCandidates(BalanceSettings settings) {
        this.settings = settings;
        this.balancer = create(settings);
    }

    private static Balancer create(BalanceSettings settings) {
        return settings.zone().isEmpty() ? settings.policy().get() : new NearFirst(settings.policy());
    }

    void configure(BalanceSettings next, long nowNanos) {
        settings = next;
        balancer = create(next);
        shares = new double[0];
        refresh(nowNanos);
    }

    /** The topology has these, each with its pool. */
    void become(List<Node> nodes, List<Pool> pools, long nowNanos) {
        for (Pool pool : fit) {
            if (!pools.contains(pool)) {
                pool.standing().leave();
            }
        }
        fit = pools.toArray(Pool[]::new);
        weights = nodes.stream().mapToInt(Node::weight).toArray();
        zones = nodes.stream().map(Node::zone).toArray(String[]::new);
        for (Pool pool : fit) {
            pool.standing().join(nowNanos);
        }
        refresh(nowNanos);
    }

    /** Who takes part now, and with what weight. */
    void refresh(long nowNanos) {
        List<Standing> standings = new ArrayList<>(fit.length);
        for (Pool pool : fit) {
            standings.add(pool.standing());
        }
        if (settings.ejects()) {
            Outliers.judge(standings, nowNanos);
        }
        boolean[] in = settings.ejects() ? Outliers.fit(standings, nowNanos) : all(fit.length);
        if (!Arrays.equals(in, taking)) {
            taking = in;
            tell();
        }
        List<Pool> next = new ArrayList<>(fit.length);
        double[] nextShares = new double[fit.length];
        boolean[] near = new boolean[fit.length];
        for (int i = 0; i < fit.length; i++) {
            if (in[i]) {
                int at = next.size();
                next.add(fit[i]);
                double grown = balancer.usesKey() ? 1 : standings.get(i).grown(settings.slowStartNanos(), nowNanos);
                nextShares[at] = weights[i] * grown;
                near[at] = zones[i].equals(settings.zone());
            }
        }
        nextShares = Arrays.copyOf(nextShares, next.size());
        if (!Arrays.equals(nextShares, shares) || !Arrays.asList(candidates).equals(next)) {
            candidates = next.toArray(Pool[]::new);
            shares = nextShares;
            prepare(Arrays.copyOf(near, candidates.length));
        }
    }

    private void tell() {
        List<Node> out = new ArrayList<>();
        for (int i = 0; i < fit.length; i++) {
            if (!taking[i]) {
                out.add(fit[i].key().node());
            }
        }
        if (out.isEmpty()) {
            LOG.debug("event=all_standbys_take_part count={}", fit.length);
        } else {
            LOG.info("event=standbys_left_out nodes={} of={}", out, fit.length);
        }
    }

    private static boolean[] all(int count) {
        boolean[] all = new boolean[count];
        Arrays.fill(all, true);
        return all;
    }

    private void prepare(boolean[] near) {
        if (candidates.length == 0) {
            return;
        }
        if (balancer instanceof NearFirst zoned) {
            zoned.setNear(near);
        }
        String[] names = new String[candidates.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = candidates[i].key().node().name();
        }
        balancer.prepare(shares.clone(), names);
    }

    boolean usesKey() {
        return balancer.usesKey();
    }

    /** The pool of the next read; null when none takes part that can be reached. */
    @Nullable
    Pool choose(long key) {
        Pool[] among = candidates;
        if (among.length == 0) {
            return null;
        }
        this.key = key;
        nowNanos = balancer.usesLatency() ? System.nanoTime() : 0;
        Pool chosen = among.length == 1 ? among[0] : among[balancer.choose(among.length, this)];
        return chosen.isTroubled() ? leastLoadedBeside(null) : chosen;
    }

    /** The least busy that can be reached, and is not this one. */
    @Nullable
    Pool leastLoadedBeside(@Nullable Pool other) {
        Pool least = null;
        for (Pool candidate : candidates) {
            if (candidate != other
                    && !candidate.isTroubled()
                    && (least == null || candidate.inFlight() < least.inFlight())) {
                least = candidate;
            }
        }
        return least;
    }

    /** Whether reads are given to it at the moment, and it can be reached. */
    boolean takesPart(Pool pool) {
        for (Pool one : candidates) {
            if (one == pool) {
                return !pool.isTroubled();
            }
        }
        return false;
    }

    boolean isFit(Pool pool) {
        for (Pool one : fit) {
            if (one == pool) {
                return true;
            }
        }
        return false;
    }

    boolean isEmpty() {
        return fit.length == 0;
    }

    @Override
    public int inFlight(int candidate) {
        return candidates[candidate].inFlight();
    }

    @Override
    public double latencyNanos(int candidate) {
        return candidates[candidate].standing().latency().valueAt(nowNanos);
    }

    @Override
    public boolean isFull(int candidate) {
        return candidates[candidate].isFull();
    }

    @Override
    public long key() {
        return key;
    }
}
