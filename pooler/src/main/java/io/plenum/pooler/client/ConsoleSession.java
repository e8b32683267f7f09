package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.FrontendType;
import org.jspecify.annotations.Nullable;

/** A client that talks to us rather than to PostgreSQL. Confined to the client's event loop. */
public interface ConsoleSession {
    /** Makes sessions for those who may have one. */
    interface Factory {
        /** Whether the name is that of the console. */
        boolean isConsole(String database);

        /** A session of the user; null when the user may not even look. An {@code owner} of the process may do all. */
        @Nullable
        ConsoleSession open(ClientConnection client, String user, boolean owner);
    }

    /** Appends the ParameterStatus messages of the console's login. */
    void welcome(ByteBuf out);

    /**
     * Takes one whole message. Appends the answer to {@link ClientConnection#outbox()}, at once, or later and then calls
     * {@link ClientConnection#onConsoleAnswered()}; until then it {@link #isBusy()} and is given no further message.
     */
    void onMessage(FrontendType type, ByteBuf bytes, int start, int end);

    /** Whether an answer is still being gathered. */
    boolean isBusy();

    /** A cancel request with the right key: what still waits for its answer shall end. */
    void onCancel();

    void onClosed();
}
