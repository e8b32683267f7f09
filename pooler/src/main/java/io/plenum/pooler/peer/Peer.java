package io.plenum.pooler.peer;

import java.net.SocketAddress;
import java.util.List;

/**
 * One of the processes behind the same address.
 *
 * @param host as it was written, a name or the directory of a Unix socket; the address if it was found
 * @param addresses what the host means now; empty while that is not known
 * @param poolSize most connections to it at once
 */
public record Peer(int id, String host, int port, int poolSize, List<? extends SocketAddress> addresses) {}
