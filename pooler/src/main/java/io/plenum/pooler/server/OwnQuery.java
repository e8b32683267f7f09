package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.FrontendMessages;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** SQL of our own on a server that works for nobody else: reset, rollback, check, connect_query. */
final class OwnQuery implements ServerConnection.Reader {
    private final ServerConnection server;
    private final String sql;
    private final Consumer<Boolean> done;
    private boolean failed;

    OwnQuery(ServerConnection server, String sql, Consumer<Boolean> done) {
        this.server = server;
        this.sql = sql;
        this.done = done;
    }

    void start() {
        server.attach(this);
        server.statements().forgetUnnamed(); // a simple Query ends the unnamed statement, whosever it is
        FrontendMessages.query(server.outbox().writer(), sql);
        server.replies().add(Reply.QUERY, Origin.INJECTED);
        server.outbox().flush();
    }

    @Override
    public void onBatchEnd() {
        if (server.replies().isEmpty()) {
            boolean ok = !failed && server.isQuiet();
            server.detach();
            done.accept(ok);
        }
    }

    @Override
    public void onInjectedRow(DataRow row, @Nullable Object subject) {
        failed |= !row.values().isEmpty()
                && ServerConnection.UNFIT.equals(row.values().getLast());
    }

    @Override
    public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
        failed = true;
        return false;
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        failed = true;
        return false;
    }

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        done.accept(false);
    }
}
