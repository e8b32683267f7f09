package io.plenum.pooler.discovery;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What DNS has said of the hosts of databases. Immutable.
 *
 * @param names by name
 * @param open questions that are not answered yet
 */
public record LookUps(List<Name> names, int open) {
    public static final LookUps NONE = new LookUps(List.of(), 0);

    /**
     * One name.
     *
     * @param seconds for which the answer still holds
     * @param addresses of the last good answer; empty without one
     */
    public record Name(String name, long seconds, List<InetAddress> addresses) {}

    /** How many of the names are in each zone, which PgBouncer takes to be what is behind the first dot. */
    public Map<String, Integer> zones() {
        Map<String, Integer> zones = new TreeMap<>();
        for (Name name : names) {
            int dot = name.name().indexOf('.');
            if (dot >= 0 && dot < name.name().length() - 1) {
                zones.merge(name.name().substring(dot + 1), 1, Integer::sum);
            }
        }
        return zones;
    }
}
