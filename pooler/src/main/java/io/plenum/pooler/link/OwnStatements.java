package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.frontend.FrontendMessages;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Statements of our own in front of a client's message, under a name of ours: the client's unnamed statement stays. */
final class OwnStatements {
    /** The subject of what of ours has its own ReadyForQuery: its failure is no answer to the client. */
    static final Object ALONE = "alone";

    private static final String NAME = "PLENUM_";

    private OwnStatements() {}

    /**
     * Sends them as a group of their own, or in the client's open group, where they are {@code skippable}'s and go with it.
     */
    static void send(ServerConnection linked, List<String> statements, @Nullable Object skippable) {
        OutstandingReplies replies = linked.replies();
        boolean alone = !linked.group().goesOn();
        Object subject = alone ? ALONE : skippable;
        ByteBuf out = linked.outbox().writer();
        for (String sql : statements) {
            FrontendMessages.parse(out, NAME, sql);
            FrontendMessages.bind(out, NAME, NAME, List.of());
            FrontendMessages.execute(out, NAME, 0);
            FrontendMessages.closePortal(out, NAME);
            FrontendMessages.closeStatement(out, NAME);
            replies.add(Reply.PARSE, Origin.INJECTED, subject);
            replies.add(Reply.BIND, Origin.INJECTED, subject);
            replies.add(Reply.EXECUTE, Origin.INJECTED, subject);
            replies.add(Reply.CLOSE, Origin.INJECTED, subject);
            replies.add(Reply.CLOSE, Origin.INJECTED, subject);
        }
        if (alone) {
            FrontendMessages.sync(out);
            replies.add(Reply.SYNC, Origin.INJECTED, subject);
        }
    }

    /** Sends one in front of a Query or FunctionCall that breaks the client's open group, and commits or fails as that does. */
    static void sendAsQuery(ServerConnection linked, String sql) {
        linked.statements().forgetUnnamed(); // which a Query ends, and a FunctionCall does not
        FrontendMessages.query(linked.outbox().writer(), sql);
        linked.replies().add(Reply.QUERY, Origin.INJECTED, ALONE);
    }
}
