/**
 * The first packet of a connection: what a client may say before it has said who it is.
 *
 * <p>Everything here is rare and read from strangers: plain records, every length checked, nothing allocated from a
 * declared length. Used by the thread that owns the bytes.
 */
@NullMarked
package io.plenum.wire.startup;

import org.jspecify.annotations.NullMarked;
