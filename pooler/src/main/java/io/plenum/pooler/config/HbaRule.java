package io.plenum.pooler.config;

import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code auth_hba_file}.
 *
 * @param line where it stands in its file
 * @param addresses any of which the client's may be; empty is every address
 * @param map the name map of {@code map=}; null is none: then the two names must be equal
 * @param ldap how to ask the LDAP server; null with any other method
 */
public record HbaRule(
        int line,
        Kind kind,
        Names databases,
        Names users,
        List<AddressRange> addresses,
        LoginMethod method,
        @Nullable String map,
        @Nullable LdapOptions ldap) {

    /** Which connections a line is about. */
    public enum Kind implements Choice {
        LOCAL("local"),
        HOST("host"),
        HOSTSSL("hostssl"),
        HOSTNOSSL("hostnossl"),
        /** Nobody, for GSSAPI encryption is refused. */
        HOSTGSSENC("hostgssenc"),
        HOSTNOGSSENC("hostnogssenc");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /**
     * The names of one column.
     *
     * @param all the keyword
     * @param same {@code sameuser}: the database is called as the user
     * @param replication the keyword, for connections that ask for physical replication
     * @param patterns of words that begin with a slash
     */
    public record Names(boolean all, boolean same, boolean replication, Set<String> names, List<Pattern> patterns) {
        boolean has(String name) {
            return names.contains(name)
                    || patterns.stream()
                            .anyMatch(pattern -> pattern.matcher(name).find());
        }
    }

    /** Addresses of one family whose first bits are those of {@code base}, as {@code mask} has them. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record AddressRange(byte[] base, byte[] mask) {
        boolean has(InetAddress address) {
            byte[] asked = address.getAddress();
            if (asked.length != base.length) {
                return false;
            }
            for (int i = 0; i < asked.length; i++) {
                if ((asked[i] & mask[i]) != (base[i] & mask[i])) {
                    return false;
                }
            }
            return true;
        }
    }

    /**
     * Whether the line is about this login. A connection that asks for physical replication belongs to no database, so
     * only the keyword {@code replication} means it, as in PostgreSQL.
     */
    boolean matches(
            @Nullable InetAddress address,
            boolean encrypted,
            String database,
            String user,
            boolean physicalReplication) {
        boolean transport = switch (kind) {
            case LOCAL -> address == null;
            case HOST, HOSTNOGSSENC -> address != null;
            case HOSTGSSENC -> false;
            case HOSTSSL -> address != null && encrypted;
            case HOSTNOSSL -> address != null && !encrypted;
        };
        return transport
                && (address == null || addresses.isEmpty() || addresses.stream().anyMatch(range -> range.has(address)))
                && matchesDatabase(database, user, physicalReplication)
                && (users.all() || users.has(user));
    }

    private boolean matchesDatabase(String database, String user, boolean physicalReplication) {
        if (physicalReplication) {
            return databases.replication();
        }
        return databases.all() || (databases.same() && database.equals(user)) || databases.has(database);
    }
}
