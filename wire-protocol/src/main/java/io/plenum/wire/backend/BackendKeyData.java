package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import io.plenum.wire.startup.CancelKey;

/** The message in which a server says how its statements are cancelled. */
public final class BackendKeyData {
    private BackendKeyData() {}

    /** Reads the body of a BackendKeyData; a {@link ProtocolException} when it is malformed. */
    public static CancelKey parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        int processId = body.readInt();
        int length = body.remaining();
        if (length == 0 || length > CancelKey.MAX_SECRET) {
            throw new ProtocolException("cancel key of " + length + " bytes from server");
        }
        return new CancelKey(processId, body.readBytes(length));
    }
}
