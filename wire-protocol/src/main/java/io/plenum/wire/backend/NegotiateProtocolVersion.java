package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import io.plenum.wire.startup.ProtocolVersion;
import java.util.ArrayList;
import java.util.List;

/**
 * A server's answer to a startup packet that asked for more than it speaks.
 *
 * @param version what is spoken from here on
 * @param unknown the protocol options that the server does not understand
 */
public record NegotiateProtocolVersion(ProtocolVersion version, List<String> unknown) {
    /** Reads the body of a NegotiateProtocolVersion; a {@link ProtocolException} when it is malformed. */
    public static NegotiateProtocolVersion parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        ProtocolVersion version = ProtocolVersion.of(body.readInt());
        int count = body.readInt();
        if (count < 0 || count > body.remaining()) { // each takes a byte at least
            throw new ProtocolException("insufficient data left in message");
        }
        List<String> unknown = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            unknown.add(body.readCString());
        }
        body.expectEnd();
        return new NegotiateProtocolVersion(version, List.copyOf(unknown));
    }
}
