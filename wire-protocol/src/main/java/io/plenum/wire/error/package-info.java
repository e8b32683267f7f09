/** Errors as messages: the catalogue of SQLSTATEs and ErrorResponse. */
@NullMarked
package io.plenum.wire.error;

import org.jspecify.annotations.NullMarked;
