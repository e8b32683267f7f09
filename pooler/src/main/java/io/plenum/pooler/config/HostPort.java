package io.plenum.pooler.config;

/**
 * An address as it was written: a name, a literal address or the directory of a Unix socket, and a port from 1 to 65535.
 * Nothing is looked up.
 *
 * <p>An IPv6 address is held without brackets and shown with them.
 */
public record HostPort(String host, int port) {

    /** Reads HOST, HOST:PORT, [V6] or [V6]:PORT; a bare text with several colons is an IPv6 address. */
    static HostPort parse(String text, int defaultPort) throws InvalidValueException {
        String host = text;
        String port = "";
        if (text.startsWith("[")) {
            int close = text.indexOf(']');
            if (close < 0) {
                throw new InvalidValueException("has a [ without its ]");
            }
            host = text.substring(1, close);
            String rest = text.substring(close + 1);
            if (!rest.isEmpty() && !rest.startsWith(":")) {
                throw new InvalidValueException("has text between ] and the port");
            }
            port = rest.isEmpty() ? "" : rest.substring(1);
            if (!rest.isEmpty() && port.isEmpty()) {
                throw new InvalidValueException("has a colon without a port");
            }
        } else if (text.indexOf(':') >= 0 && text.indexOf(':') == text.lastIndexOf(':')) {
            host = text.substring(0, text.indexOf(':'));
            port = text.substring(text.indexOf(':') + 1);
            if (port.isEmpty()) {
                throw new InvalidValueException("has a colon without a port");
            }
        }
        if (host.isEmpty()) {
            throw new InvalidValueException("has no host");
        }
        return new HostPort(host, port.isEmpty() ? defaultPort : (int) Values.wholeNumber(port, 1, 65535));
    }

    /** Whether the host is the directory of a Unix socket; {@code @} in front is the abstract namespace. */
    public boolean isUnix() {
        return isUnix(host);
    }

    static boolean isUnix(String host) {
        return host.startsWith("/") || host.startsWith("@");
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
