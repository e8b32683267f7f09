package io.plenum.pooler.link;

import io.plenum.pooler.listen.ChannelName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * SQL that registers a server's session for the channels of a client that listens elsewhere, for as long as the client's
 * transaction may change them, and the mark by which it is told whether that was committed.
 */
final class ChannelRegistration {
    /** The mark: a setting, for those follow a transaction to the last savepoint, while UNLISTEN * takes every channel. */
    static final String MARK = "plenum.listening";

    /** The session serves somebody else from now on. */
    static final List<String> END = List.of("UNLISTEN *", "RESET " + MARK);

    private ChannelRegistration() {}

    static List<String> begin(Collection<String> channels) {
        List<String> statements = new ArrayList<>();
        for (String channel : channels) {
            statements.add("LISTEN " + ChannelName.quoted(channel));
        }
        statements.add("SET " + MARK + " = 'on'");
        return statements;
    }
}
