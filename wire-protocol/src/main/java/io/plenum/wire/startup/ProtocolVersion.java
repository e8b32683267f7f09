package io.plenum.wire.startup;

/**
 * A version of the protocol as a client asks for it, each part 0 to 65,535.
 *
 * <p>Manual, "Protocol Versions". PostgreSQL 18 speaks 3.0 and 3.2; a 3.1 does not exist but is served like 3.0.
 */
public record ProtocolVersion(int major, int minor) implements Comparable<ProtocolVersion> {
    public static final ProtocolVersion V3_0 = new ProtocolVersion(3, 0);

    /** Long cancel keys. */
    public static final ProtocolVersion V3_2 = new ProtocolVersion(3, 2);

    /** The newest that we speak, to clients and to servers. */
    public static final ProtocolVersion NEWEST = V3_2;

    public ProtocolVersion {
        if (major < 0 || major > 0xffff || minor < 0 || minor > 0xffff) {
            throw new IllegalArgumentException("protocol version " + major + "." + minor);
        }
    }

    /** The version of an Int32 of the wire: major in the upper half, minor in the lower. */
    public static ProtocolVersion of(int code) {
        return new ProtocolVersion(code >>> 16, code & 0xffff);
    }

    /** The Int32 of the wire. */
    public int code() {
        return major << 16 | minor;
    }

    /** Whether its major version is one that we speak. */
    public boolean isSupported() {
        return major == NEWEST.major;
    }

    /**
     * What is spoken after the answer to this request: the request itself, or {@link #NEWEST} when it asks for more.
     */
    public ProtocolVersion negotiated() {
        return compareTo(NEWEST) > 0 ? NEWEST : this;
    }

    /** Whether cancel keys may be longer than {@link CancelKey#OLD_SECRET}. */
    public boolean hasLongCancelKeys() {
        return compareTo(V3_2) >= 0;
    }

    @Override
    public int compareTo(ProtocolVersion other) {
        return Integer.compareUnsigned(code(), other.code());
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
