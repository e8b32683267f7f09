package io.plenum.routing;

/**
 * Confined to its event loop: decides where a batch goes. A batch is one simple Query, or the messages of the extended
 * protocol up to their Sync: an implicit transaction that only one node can run.
 *
 * <p>Usage: {@link #begin}, then {@link #statement} and {@link #doubt} in the order of the messages, then
 * {@link #decide}. Only for a client that is not linked: inside a transaction the node is chosen already, and the
 * reason of a statement serves only to see whether it {@linkplain Reason#leavesState() leaves state}.
 */
public final class Router {
    private final BatchFold batch = new BatchFold();
    private RoutingPolicy policy = RoutingPolicy.OFF;
    private boolean readOnlyByDefault;
    private boolean serializableByDefault;
    private boolean safeText;
    private HintPolicy hints = HintPolicy.OFF;
    private RoutingHint hint = RoutingHint.AUTO;
    /** The hints in front of the texts of the batch, as traits. */
    private int hinted;
    /** The batch stands in a transaction that was declared READ ONLY when it was begun. */
    private boolean declared;

    private boolean begun;
    /** As long as the transaction has only read, it could begin anew elsewhere. */
    private boolean tentative;
    /** So far all of the batch are reads, or ends of the transaction. */
    private boolean onlyReads;

    /**
     * Starts a batch of a client that gives no hints.
     *
     * @param readOnlyByDefault the client's {@code default_transaction_read_only} is on
     * @param safeText the client's encoding and {@code standard_conforming_strings} let the classifier trust its eyes
     */
    public void begin(RoutingPolicy policy, boolean readOnlyByDefault, boolean safeText) {
        this.policy = policy;
        this.readOnlyByDefault = readOnlyByDefault;
        this.safeText = safeText;
        serializableByDefault = false;
        hints = HintPolicy.OFF;
        hint = RoutingHint.AUTO;
        hinted = 0;
        declared = false;
        begun = false;
        tentative = false;
        onlyReads = true;
        batch.clear();
    }

    /** Behind {@link #begin}: where the client's session asks to be sent, and what such hints may do. */
    public void hint(HintPolicy hints, RoutingHint ofSession) {
        this.hints = hints;
        hint = ofSession;
    }

    /** Behind {@link #begin}: the client's transactions are serializable unless they say otherwise. */
    public void serializable() {
        serializableByDefault = true;
    }

    /**
     * Behind {@link #begin}: the batch is the first of a transaction whose BEGIN no server has heard of.
     *
     * @param reason that of the BEGIN with what was said of its modes
     * @param declared the BEGIN itself or the session says that the transaction is READ ONLY: that is more than a guess, so it
     *     need not be proven of the statement
     */
    public void begun(Reason reason, boolean declared) {
        batch.begun(reason);
        begun = true;
        onlyReads = true;
        this.declared = declared;
    }

    /**
     * Behind {@link #begun}: nobody would notice if the transaction began anew on another node, for each of its statements has
     * a snapshot of its own and it has done nothing but read. So it may go to a replica as long as that is so.
     */
    public void tentative() {
        tentative = true;
    }

    /** The batch leaves something in the transaction, or finds it there, that is no statement: a portal. */
    public void bound() {
        onlyReads = false;
    }

    /** One per Query, per Parse and per Bind of a statement parsed earlier, in their order. */
    public void statement(Reason classified) {
        statement(classified, 0);
    }

    /** The same with the statement's {@link Traits}. */
    public void statement(Reason classified, int traits) {
        boolean ends = (traits & Traits.ENDS_TRANSACTION) != 0; // what comes behind that was not declared
        boolean own = (traits & Traits.ASKS_CHANNELS) != 0; // of the session, and no standby is registered for them
        batch.add(declared && !ends && !own && standbyMayTry(classified) ? Reason.READ : classified);
        declared &= !ends && classified != Reason.TRANSACTION_END;
        onlyReads &= classified == Reason.READ || classified == Reason.EMPTY || classified == Reason.TRANSACTION_END;
        hinted |= traits & (Traits.HINTS_PRIMARY | Traits.HINTS_REPLICA);
    }

    /** Something that is no statement, or not known to be one, and that forbids a replica. */
    public void doubt(Reason reason) {
        onlyReads = false;
        batch.add(declared && standbyMayTry(reason) ? Reason.READ : reason);
    }

    /** Where the batch goes. A reason that leaves state is hidden by none that leaves none, nor by the policy. */
    public Reason decide() {
        Reason reason = batch.reason();
        if (reason.leavesState()) {
            return reason;
        }
        if (policy == RoutingPolicy.OFF) {
            return Reason.ROUTING_OFF;
        }
        if (reason == Reason.TRANSACTION && readOnlyByDefault) {
            reason = Reason.READ_ONLY_TRANSACTION;
        }
        if (reason == Reason.TRANSACTION && tentative && onlyReads) {
            reason = Reason.READ_SO_FAR;
        }
        RoutingHint wish = wish();
        if (reason.target() == Target.PRIMARY) {
            return wish == RoutingHint.REPLICA && !begun && mayBeHinted(reason)
                    ? onReplica(Reason.HINTED_REPLICA)
                    : reason;
        }
        if (wish == RoutingHint.PRIMARY) {
            return Reason.HINTED_PRIMARY;
        }
        boolean declared = reason == Reason.READ_ONLY_TRANSACTION || readOnlyByDefault || wish == RoutingHint.REPLICA;
        return policy == RoutingPolicy.EXPLICIT && !declared ? Reason.NOT_DECLARED : onReplica(reason);
    }

    /** What may go to a replica, unless the session forbids it. */
    private Reason onReplica(Reason reason) {
        if (!safeText) {
            return Reason.UNSAFE_TEXT;
        }
        return serializableByDefault && reason != Reason.EMPTY ? Reason.SERIALIZABLE : reason;
    }

    /** Where the client asks to be sent: a comment says more than the session, and the primary is never wrong. */
    private RoutingHint wish() {
        if (hints == HintPolicy.OFF) {
            return RoutingHint.AUTO;
        }
        RoutingHint wish = (hinted & Traits.HINTS_PRIMARY) != 0
                ? RoutingHint.PRIMARY
                : (hinted & Traits.HINTS_REPLICA) != 0 ? RoutingHint.REPLICA : hint;
        return wish == RoutingHint.REPLICA && hints != HintPolicy.ON ? RoutingHint.AUTO : wish;
    }

    /** Whether it does no harm on a standby in a transaction that is to write nothing. */
    private static boolean standbyMayTry(Reason reason) {
        return switch (reason) {
            case NO_CATALOG,
                    SYSTEM_CATALOG,
                    UNKNOWN_FUNCTION,
                    VOLATILE_FUNCTION,
                    OPAQUE_RELATION,
                    NODE_LOCAL,
                    UTILITY,
                    REPORTED_SETTING,
                    COPY,
                    INCOMPLETE_BATCH -> true;
            default -> false;
        };
    }

    /** Whether a standby could run it, although nobody has proven that it reads only. */
    private static boolean mayBeHinted(Reason reason) {
        return switch (reason) {
            case NO_CATALOG, SYSTEM_CATALOG, UNKNOWN_FUNCTION, VOLATILE_FUNCTION, OPAQUE_RELATION, NODE_LOCAL -> true;
            default -> false;
        };
    }
}
