package io.plenum.pooler.auth;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.ServerCredential;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One client's attempt to prove who it is. Confined to the client's event loop. */
public interface Proof {
    /** Where the attempt stands. */
    enum Outcome {
        /** The client must send another message. */
        MORE,
        /** Nothing more is needed of the client, but the answer takes a while: {@link #whenDone} tells it. */
        LATER,
        ACCEPTED,
        REFUSED
    }

    /** Appends the first request to the client, if any. */
    Outcome start(ByteBuf out);

    /** Reads the body of a PasswordMessage or SASL message, and appends the next request. */
    Outcome onMessage(byte[] body, ByteBuf out);

    /** Longest body that the next message may have, in bytes; more is not even waited for. */
    int longestMessage();

    /** After LATER, once: hears ACCEPTED or REFUSED on the client's loop. */
    default void whenDone(Consumer<Outcome> done) {
        throw new IllegalStateException("nothing is being waited for");
    }

    /** After REFUSED: why. */
    Refusal refusal();

    /** After ACCEPTED: what it lets us show a server as this user; null if nothing that the settings do not have. */
    default @Nullable ServerCredential credential() {
        return null;
    }

    /** After ACCEPTED: whether everybody is let in who says the same under the same settings, wherever from. */
    default boolean isForAll() {
        return false;
    }
}
