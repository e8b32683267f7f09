package io.plenum.testbed;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** An ErrorResponse where an answer was expected: at login, or from {@link WireClient#rows}. */
public final class ServerErrorException extends IOException {
    private final transient Message response;

    ServerErrorException(Message response) {
        super(response.text());
        this.response = response;
    }

    /** The message as it came. */
    public Message response() {
        return response;
    }

    /** The SQLSTATE, null if the server sent none. */
    public @Nullable String sqlState() {
        return response.field('C');
    }
}
