/**
 * Who a client is: the exchanges that prove it, and what proves us to servers in turn.
 *
 * <p>Costly arithmetic runs off the loops; everything else is confined to the client's event loop.
 */
@NullMarked
package io.plenum.pooler.auth;

import org.jspecify.annotations.NullMarked;
