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
    private boolean safeText;

    /**
     * Starts a batch.
     *
     * @param readOnlyByDefault the client's {@code default_transaction_read_only} is on
     * @param safeText the client's encoding and {@code standard_conforming_strings} let the classifier trust its eyes
     */
    public void begin(RoutingPolicy policy, boolean readOnlyByDefault, boolean safeText) {
        this.policy = policy;
        this.readOnlyByDefault = readOnlyByDefault;
        this.safeText = safeText;
        batch.clear();
    }

    /** One per Query, per Parse and per Bind of a statement parsed earlier, in their order. */
    public void statement(Reason classified) {
        batch.add(classified);
    }

    /** Something that is no statement, or not known to be one, and that forbids a replica. */
    public void doubt(Reason reason) {
        batch.add(reason);
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
        if (reason.target() == Target.PRIMARY) {
            return reason;
        }
        if (!safeText) {
            return Reason.UNSAFE_TEXT;
        }
        boolean declared = reason == Reason.READ_ONLY_TRANSACTION || readOnlyByDefault;
        return policy == RoutingPolicy.EXPLICIT && !declared ? Reason.NOT_DECLARED : reason;
    }
}
