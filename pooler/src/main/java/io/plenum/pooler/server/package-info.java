/**
 * One connection to PostgreSQL: login, the replies it owes, its settings and prepared statements.
 *
 * <p>Confined to the event loop of the connection.
 */
@NullMarked
package io.plenum.pooler.server;

import org.jspecify.annotations.NullMarked;
