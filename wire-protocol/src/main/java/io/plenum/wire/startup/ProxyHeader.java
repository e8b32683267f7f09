package io.plenum.wire.startup;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;
import org.jspecify.annotations.Nullable;

/**
 * What a proxy in front of us says of the client, before the client's own first byte: PROXY protocol, version 2.
 *
 * <p>HAProxy's proxy-protocol.txt, section 2.2. Version 1, which is text, is not read. No startup packet begins like a
 * header, for the length that its first bytes would be is beyond what those may have.
 *
 * @param address 4 or 16 bytes that say where the client is; null when the proxy speaks for itself (LOCAL, a check of
 *     health) or does not know
 * @param port of the client; 0 without an address
 */
@SuppressWarnings("ArrayRecordComponent") // handed over once and never compared
public record ProxyHeader(byte @Nullable [] address, int port) {
    /** Bytes of signature, command, family and length. */
    private static final int FIXED = 16;

    private static final byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

    /** Longest header, in bytes: addresses and what a proxy adds of its own, which we skip. */
    private static final int MAX = 4096;

    private static final int INET = 1;
    private static final int INET6 = 2;

    /** Whether the bytes begin as a header does, as far as there are any. */
    public static boolean begins(ByteBuf bytes, int start, int end) {
        int known = Math.min(SIGNATURE.length, end - start);
        for (int i = 0; i < known; i++) {
            if (bytes.getByte(start + i) != SIGNATURE[i]) {
                return false;
            }
        }
        return known > 0;
    }

    /**
     * The length of the header that begins here, in bytes; 0 when too little of it is there to tell.
     *
     * @throws ProtocolException when it is of another version or longer than any that we take
     */
    public static int lengthAt(ByteBuf bytes, int start, int end) {
        if (end - start < FIXED) {
            return 0;
        }
        int version = bytes.getByte(start + 12) >> 4 & 0xF;
        if (version != 2) {
            throw new ProtocolException("PROXY protocol version %d is not supported".formatted(version));
        }
        int length = FIXED + bytes.getUnsignedShort(start + 14);
        if (length > MAX) {
            throw new ProtocolException("PROXY protocol header of %d bytes; %d are allowed".formatted(length, MAX));
        }
        return length;
    }

    /** Reads a header that is there as a whole, {@code length} bytes of it. */
    public static ProxyHeader parse(ByteBuf bytes, int start, int length) {
        int command = bytes.getByte(start + 12) & 0xF;
        if (command > 1) {
            throw new ProtocolException("PROXY protocol command %d is not supported".formatted(command));
        }
        int family = bytes.getByte(start + 13) >> 4 & 0xF;
        int addressBytes = family == INET ? 4 : family == INET6 ? 16 : 0;
        if (command == 0 || addressBytes == 0) {
            return new ProxyHeader(null, 0);
        }
        if (length < FIXED + 2 * addressBytes + 4) {
            throw new ProtocolException("PROXY protocol header ends inside an address");
        }
        byte[] address = new byte[addressBytes];
        bytes.getBytes(start + FIXED, address);
        return new ProxyHeader(address, bytes.getUnsignedShort(start + FIXED + 2 * addressBytes));
    }
}
