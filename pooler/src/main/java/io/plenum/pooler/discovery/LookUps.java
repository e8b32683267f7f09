package io.plenum.pooler.discovery;

import java.net.InetAddress;
import java.util.List;

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
}
