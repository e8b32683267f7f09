package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.WireReader;

/** The value that a setting now has in a server's session. */
public record ParameterStatus(String name, String value) {
    /** Reads the body of a ParameterStatus; a {@link io.plenum.wire.ProtocolException} when it is malformed. */
    public static ParameterStatus parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        ParameterStatus status = new ParameterStatus(body.readCString(), body.readCString());
        body.expectEnd();
        return status;
    }
}
