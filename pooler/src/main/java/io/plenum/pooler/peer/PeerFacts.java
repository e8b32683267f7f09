package io.plenum.pooler.peer;

/**
 * What goes on with one peer.
 *
 * @param active requests that the peer has, each with a connection
 * @param waiting requests without a connection, those whose connection is being opened among them
 * @param connecting connections that are being opened
 */
public record PeerFacts(int id, int active, int waiting, int connecting) {}
