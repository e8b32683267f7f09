/**
 * What a client sends: cursors over its messages, read in place, and writers for the messages that we send in a
 * client's place.
 *
 * <p>The cursors ({@code QueryView} and its like) are the hot path: each connection owns one of each and moves it from
 * message to message; they keep no byte, allocate nothing, and are valid only while the bytes are shown. Used by the
 * thread that owns the bytes.
 */
@NullMarked
package io.plenum.wire.frontend;

import org.jspecify.annotations.NullMarked;
