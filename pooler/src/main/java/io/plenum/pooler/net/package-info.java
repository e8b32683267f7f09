/**
 * Sockets and the loops that serve them: transport, event loops, listener, ordered writing to one peer.
 *
 * <p>Knows nothing of PostgreSQL. Each object belongs to one event loop unless it says otherwise.
 */
@NullMarked
package io.plenum.pooler.net;

import org.jspecify.annotations.NullMarked;
