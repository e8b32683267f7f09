/**
 * The console: the database {@code pgbouncer}, alias {@code plenum}, in PgBouncer's words and columns and with ours beside
 * them.
 *
 * <p>A session is confined to its client's event loop. What it shows is gathered by one task on each loop, which returns
 * immutable facts; what it does is asked of {@link io.plenum.pooler.admin.Controls}. No loop ever waits.
 */
@NullMarked
package io.plenum.pooler.admin;

import org.jspecify.annotations.NullMarked;
