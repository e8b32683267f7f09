/**
 * LISTEN for clients that have no server of their own: one listener connection per database and user, whose notifications
 * are shared out to whoever subscribed.
 *
 * <p>A {@link io.plenum.pooler.listen.ListenHub} is confined to one loop and hands notifications over to the loops of its
 * clients; {@link io.plenum.pooler.listen.ClientChannels} is what one client's transactions change, confined to the client's
 * loop. May use {@code pool} and what lies below.
 *
 * <p>Known gaps. What is notified while the hub has no connection (the primary died, a switchover) is lost, as it would be
 * for a session of its own; {@link io.plenum.pooler.listen.NotificationListener#onGap} tells. The listener connection speaks
 * UTF-8: a client of another client_encoding must keep a server of its own. It counts neither in a pool's nor in a
 * database's nor in a user's limit, so PostgreSQL must have room for one more connection per database and user that
 * listens.
 */
@NullMarked
package io.plenum.pooler.listen;

import org.jspecify.annotations.NullMarked;
