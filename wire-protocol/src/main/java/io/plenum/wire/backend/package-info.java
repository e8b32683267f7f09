/**
 * What a server sends: writers for the messages that we send in a server's place, and readers for those of a server's
 * messages that a pooler must understand.
 *
 * <p>Writers append to a buffer that stays the caller's. Readers of login and settings are plain records that copy;
 * {@link io.plenum.wire.backend.CommandTag} reads in place, for it stands on the hot path. Used by the thread that owns
 * the bytes.
 */
@NullMarked
package io.plenum.wire.backend;

import org.jspecify.annotations.NullMarked;
