/**
 * Server connections of one node, database and user, and the clients that wait for them.
 *
 * <p>A {@link io.plenum.pooler.pool.Pool} is confined to its loop; its limits are shared by the loops as atomic permits.
 */
@NullMarked
package io.plenum.pooler.pool;

import org.jspecify.annotations.NullMarked;
