package io.plenum.pooler.config;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Addresses that have their first bits in common, or all that come by Unix socket. Immutable.
 *
 * @param network the first address; null for Unix sockets
 * @param bits that must be equal
 */
public record AddressRange(@Nullable InetAddress network, int bits) {
    private static final AddressRange UNIX = new AddressRange(null, 0);

    /** Ranges with commas between; {@code *} is two, all of IPv4 and all of IPv6. */
    static Values<List<AddressRange>> values() {
        return new Values<>(
                "addresses or networks as 10.0.0.0/8, unix, or *, with commas between",
                text -> {
                    List<AddressRange> ranges = new ArrayList<>();
                    for (String part : text.split(",", -1)) {
                        String word = part.strip();
                        switch (word) {
                            case "" -> {
                                if (!text.isBlank()) {
                                    throw new InvalidValueException("has an empty place beside a comma");
                                }
                            }
                            case "*" -> {
                                ranges.add(parse("0.0.0.0/0"));
                                ranges.add(parse("::/0"));
                            }
                            case "unix" -> ranges.add(UNIX);
                            default -> ranges.add(parse(word));
                        }
                    }
                    return List.copyOf(ranges);
                },
                ranges -> ranges.stream().map(AddressRange::toString).collect(Collectors.joining(", ")));
    }

    private static AddressRange parse(String text) throws InvalidValueException {
        int slash = text.indexOf('/');
        InetAddress network;
        try {
            network = InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
        } catch (IllegalArgumentException noAddress) {
            throw new InvalidValueException("has no address in " + Findings.quote(text)
                    + "; allowed: addresses or networks as 10.0.0.0/8, unix, or *");
        }
        int most = network instanceof Inet4Address ? 32 : 128;
        int bits = slash < 0 ? most : (int) Values.wholeNumber(text.substring(slash + 1), 0, most);
        return new AddressRange(network, bits);
    }

    /** Whether the other end of a connection is in the range; an address that is no Internet address came by Unix socket. */
    public boolean contains(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress inet)) {
            return network == null && address != null;
        }
        return network != null && inet.getAddress() != null && matches(network.getAddress(), inet.getAddress());
    }

    private boolean matches(byte[] first, InetAddress candidate) {
        byte[] other = candidate.getAddress();
        if (other.length != first.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> bit % 8;
            if ((first[bit / 8] & mask) != (other[bit / 8] & mask)) {
                return false;
            }
        }
        return true;
    }

    /** Whether any of the ranges has the address. */
    public static boolean anyContains(List<AddressRange> ranges, @Nullable SocketAddress address) {
        for (AddressRange range : ranges) {
            if (range.contains(address)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return network == null ? "unix" : network.getHostAddress() + "/" + bits;
    }
}
