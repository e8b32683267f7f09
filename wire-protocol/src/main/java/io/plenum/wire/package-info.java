/**
 * The bytes of PostgreSQL's frontend/backend protocol: message catalogues and the cutting of a stream into messages.
 *
 * <p>Nothing here opens a socket, reads a clock or logs; every class is used by the thread that owns the bytes.
 */
@NullMarked
package io.plenum.wire;

import org.jspecify.annotations.NullMarked;
