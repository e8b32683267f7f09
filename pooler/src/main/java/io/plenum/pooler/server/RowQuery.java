package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.wire.BackendType;
import io.plenum.wire.Limits;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.FrontendMessages;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** SQL of our own of which we want the rows: probes, look-ups. An answer larger than was expected is refused. */
final class RowQuery implements ServerConnection.Reader {
    /** Most bytes of an answer of which nobody expects much. */
    static final int MAX_BYTES = 64 * 1024;

    private final ServerConnection server;
    private final Consumer<ServerConnection.Answer> done;
    private final ByteBuf answer; // on the heap: nobody has to free it
    private @Nullable ErrorResponse error;
    private boolean tooLarge;

    RowQuery(ServerConnection server, int maxBytes, Consumer<ServerConnection.Answer> done) {
        this.server = server;
        this.answer = Unpooled.buffer(256, maxBytes);
        this.done = done;
    }

    void start(String sql) {
        server.attach(this);
        server.statements().forgetUnnamed(); // a simple Query ends the unnamed statement, whosever it is
        FrontendMessages.query(server.outbox().writer(), sql);
        server.replies().add(Reply.QUERY, Origin.CLIENT);
        server.outbox().flush();
    }

    /** The same with parameters, as text; their types are the server's to find. */
    void start(String sql, List<byte @Nullable []> parameters) {
        server.attach(this);
        server.statements().forgetUnnamed();
        ByteBuf out = server.outbox().writer();
        FrontendMessages.parse(out, "", sql);
        server.replies().add(Reply.PARSE, Origin.CLIENT);
        FrontendMessages.bind(out, "", "", parameters);
        server.replies().add(Reply.BIND, Origin.CLIENT);
        FrontendMessages.execute(out, "", FrontendMessages.ALL_ROWS);
        server.replies().add(Reply.EXECUTE, Origin.CLIENT);
        FrontendMessages.sync(out);
        server.replies().add(Reply.SYNC, Origin.CLIENT);
        server.outbox().flush();
    }

    @Override
    public void forward(ByteBuf bytes, int start, int end) {
        tooLarge |= end - start > answer.maxWritableBytes();
        if (!tooLarge) {
            answer.writeBytes(bytes, start, end - start);
        }
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        this.error = error;
        return false;
    }

    @Override
    public void onBatchEnd() {
        if (!server.replies().isEmpty() || server.isClosed()) {
            return; // more is to come, or onLost is
        }
        server.detach();
        if (tooLarge) {
            server.close();
            done.accept(new ServerConnection.Lost(null));
        } else if (error != null) {
            done.accept(new ServerConnection.Failed(error));
        } else {
            done.accept(new ServerConnection.Rows(rows()));
        }
    }

    private List<DataRow> rows() {
        List<DataRow> rows = new ArrayList<>();
        int at = 0;
        while (at < answer.writerIndex()) {
            int end = at + 1 + answer.getInt(at + 1);
            if (answer.getByte(at) == BackendType.DATA_ROW.code()) {
                rows.add(DataRow.parse(answer, at + Limits.HEADER, end));
            }
            at = end;
        }
        return rows;
    }

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        done.accept(new ServerConnection.Lost(fatal));
    }
}
