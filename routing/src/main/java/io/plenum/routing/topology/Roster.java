package io.plenum.routing.topology;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Confined to one thread: folds what discovery and the probes say into a {@link Topology}. Discovery says which
 * addresses may exist, probes say what each of them is. Trouble of discovery never costs a node that answers.
 *
 * <ul>
 *   <li>A node that discovery no longer names is drained while it answers. It is forgotten when it was missing from
 *       {@value #ABSENCES} answers over 10 s and does not answer either; at once if it never answered or is foreign.
 *   <li>The cluster's system identifier is the first one seen. A node with another is foreign: it stays visible, and
 *       nothing is sent to it.
 *   <li>Of two primaries the one with the higher timeline is the primary; if they are equal there is none. Once a
 *       primary was seen on a timeline, none on an older one is believed: that is the old primary come back.
 *   <li>A primary that takes no new sessions is none: its smart shutdown ends what runs there, and nothing else.
 *   <li>A node that discovery names as leaving (a Pod that terminates) is drained at once: what runs there ends, no new
 *       reads begin. As long as it is the primary it stays so.
 *   <li>A standby that has not come as far as a new primary was when it took over, {@value #FOLLOW_SECONDS} s after
 *       that, does not follow it: it serves no reads until it does, for its data would grow old for ever.
 *   <li>A standby that had no WAL receiver and replayed nothing for {@value #ALONE_SECONDS} s, all that time beside a
 *       primary that is ahead of it, follows nobody: the same. Without a primary there is nothing to follow, and
 *       standbys go on.
 * </ul>
 *
 * <p>Identifier and timeline are kept for life; a cluster that was restored or made anew under the same addresses needs
 * a new roster.
 *
 * <p>Times are nanoseconds of one monotonic clock, as {@link System#nanoTime()} counts them.
 */
public final class Roster {
    private static final int ABSENCES = 3;
    private static final long ABSENT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long FOLLOW_SECONDS = 5;
    private static final long ALONE_SECONDS = 10;

    /** An idle primary's insert position stands behind the header of a page that it has not begun; a standby's does not. */
    private static final long PAGE_HEADER_BYTES = 64;

    private final Map<Node, Member> members = new LinkedHashMap<>();
    private Topology topology = Topology.EMPTY;
    private long systemIdentifier;
    private int timelineReached;
    private long takeoverLsn;
    private long takeoverNanos;
    private long primarySinceNanos;

    /** The state of things, as the last method returned it. */
    public Topology topology() {
        return topology;
    }

    /**
     * Discovery answered with these nodes. An answer without any is trouble, not news: the last good set stays. Failed
     * look-ups need not be told.
     */
    public Topology discovered(List<Node> answer, long nowNanos) {
        return discovered(answer, Set.of(), nowNanos);
    }

    /** The same; those of {@code leaving} are about to end, as discovery knows. */
    public Topology discovered(List<Node> answer, Set<Node> leaving, long nowNanos) {
        if (answer.isEmpty()) {
            return topology;
        }
        for (Member member : members.values()) {
            member.named = false;
        }
        for (Node node : answer) {
            Member member = members.get(node);
            if (member == null) {
                member = new Member(node, nowNanos);
                members.put(node, member);
            }
            member.node = node; // weight or zone may be new
            member.named = true;
            member.leaving = leaving.contains(node);
            member.absences = 0;
            if (member.health == NodeHealth.DRAINING || member.health == NodeHealth.UP) {
                member.become(member.role, member.healthWhenAnswering(), nowNanos);
            }
        }
        for (Iterator<Member> all = members.values().iterator(); all.hasNext(); ) {
            Member member = all.next();
            if (!member.named) {
                if (member.absences++ == 0) {
                    member.absentSince = nowNanos;
                }
                if (member.health == NodeHealth.UP) {
                    member.become(member.role, NodeHealth.DRAINING, nowNanos);
                }
                if (member.isGone(nowNanos)) {
                    all.remove();
                }
            }
        }
        return publish(nowNanos);
    }

    /** A probe of this node was answered. Answers that were overtaken by a newer one are ignored. */
    public Topology observed(Node node, Observation seen) {
        Member member = members.get(node);
        if (member == null || (member.lastSeen != null && seen.atNanos() - member.lastSeen.atNanos() < 0)) {
            return topology;
        }
        if (seen.systemIdentifier() != 0) {
            if (systemIdentifier == 0) {
                systemIdentifier = seen.systemIdentifier();
            }
            member.foreign = seen.systemIdentifier() != systemIdentifier;
        }
        if (seen.fed() || member.lastSeen == null || seen.replayLsn() != member.lastSeen.replayLsn()) {
            member.movedNanos = seen.atNanos();
        }
        member.lastSeen = seen.completedBy(member.lastSeen);
        member.become(
                seen.inRecovery() ? NodeRole.REPLICA : NodeRole.PRIMARY, member.healthWhenAnswering(), seen.atNanos());
        return publish(seen.atNanos());
    }

    /** The prober has given this node up for now: the caller decides after how many failures. */
    public Topology unreachable(Node node, long nowNanos) {
        return out(node, NodeHealth.DOWN, nowNanos);
    }

    /** The node has told the prober that it takes no new sessions: nobody else may begin anything there. */
    public Topology refusing(Node node, long nowNanos) {
        return out(node, NodeHealth.REFUSING, nowNanos);
    }

    private Topology out(Node node, NodeHealth health, long nowNanos) {
        Member member = members.get(node);
        if (member == null) {
            return topology;
        }
        member.become(member.role, health, nowNanos);
        if (!member.named && member.isGone(nowNanos)) {
            members.remove(node);
        }
        return publish(nowNanos);
    }

    private Topology publish(long nowNanos) {
        Node primary = null;
        int timeline = timelineReached;
        boolean splitBrain = false;
        List<NodeStatus> nodes = new ArrayList<>(members.size());
        List<Node> replicas = new ArrayList<>(members.size());
        for (Member member : members.values()) {
            NodeStatus status = member.status();
            nodes.add(status);
            if (status.answers() && member.role == NodeRole.PRIMARY) {
                int claimed = member.timeline();
                if (claimed > timeline || (claimed == timeline && primary == null && !splitBrain)) {
                    primary = member.node;
                    timeline = claimed;
                    splitBrain = false;
                } else if (claimed == timeline) {
                    primary = null;
                    splitBrain = true;
                }
            } else if (member.role == NodeRole.REPLICA
                    && member.health == NodeHealth.UP
                    && !member.foreign
                    && !isLeftBehind(member, nowNanos)) {
                replicas.add(member.node);
            }
        }
        replicas.removeIf(followsNobody(primary, nowNanos));
        if (primary != null && timeline > timelineReached) {
            takeoverLsn = timelineReached == 0 ? 0 : lsn(primary);
            takeoverNanos = nowNanos;
        }
        timelineReached = timeline;
        Topology next = new Topology(topology.version(), nodes, primary, replicas, splitBrain);
        if (!next.decidesAs(topology)) {
            topology = next.withVersion(topology.version() + 1);
        } else if (!next.equals(topology)) {
            topology = next; // only what was observed is newer
        }
        return topology;
    }

    private Predicate<Node> followsNobody(@Nullable Node primary, long nowNanos) {
        if (primary == null) {
            primarySinceNanos = nowNanos;
            return standby -> false;
        }
        long head = lsn(primary);
        return standby -> {
            Member member = members.get(standby);
            long patience = TimeUnit.SECONDS.toNanos(ALONE_SECONDS);
            return member != null
                    && member.lastSeen != null
                    && !member.lastSeen.fed()
                    && lsn(standby) != 0
                    && lsn(standby) + PAGE_HEADER_BYTES < head
                    && nowNanos - member.movedNanos > patience
                    && nowNanos - primarySinceNanos > patience;
        };
    }

    private boolean isLeftBehind(Member standby, long nowNanos) {
        long reached = standby.lastSeen == null ? 0 : standby.lastSeen.replayLsn();
        return reached != 0
                && reached + PAGE_HEADER_BYTES < takeoverLsn
                && nowNanos - takeoverNanos > TimeUnit.SECONDS.toNanos(FOLLOW_SECONDS);
    }

    private long lsn(Node node) {
        Member member = members.get(node);
        return member == null || member.lastSeen == null ? 0 : member.lastSeen.replayLsn();
    }

    /** What is known of one node, and how long discovery has been silent about it. */
    private static final class Member {
        private Node node;
        private NodeRole role = NodeRole.UNKNOWN;
        private NodeHealth health = NodeHealth.UNKNOWN;
        private boolean foreign;
        private @Nullable Observation lastSeen;
        private long sinceNanos;
        private boolean named = true;
        private boolean leaving;
        private long movedNanos;
        private int absences;
        private long absentSince;

        Member(Node node, long nowNanos) {
            this.node = node;
            this.sinceNanos = nowNanos;
            this.movedNanos = nowNanos;
        }

        NodeHealth healthWhenAnswering() {
            return named && !leaving ? NodeHealth.UP : NodeHealth.DRAINING;
        }

        void become(NodeRole role, NodeHealth health, long nowNanos) {
            if (this.role != role || this.health != health) {
                this.role = role;
                this.health = health;
                sinceNanos = nowNanos;
            }
        }

        /** Whether a node that discovery does not name can be forgotten. */
        boolean isGone(long nowNanos) {
            return switch (health) {
                case UNKNOWN -> true;
                case UP, DRAINING -> foreign;
                case DOWN, REFUSING -> foreign || (absences >= ABSENCES && nowNanos - absentSince >= ABSENT_NANOS);
            };
        }

        int timeline() {
            return lastSeen == null ? 0 : lastSeen.timeline();
        }

        NodeStatus status() {
            return new NodeStatus(node, role, health, foreign, lastSeen, sinceNanos);
        }
    }
}
