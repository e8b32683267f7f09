/**
 * Reads SQL as bytes: {@link io.plenum.routing.sql.SqlScanner} cuts a text into tokens, {@link
 * io.plenum.routing.sql.Word} says which words PostgreSQL or the classifier knows. No grammar here, no allocation per
 * token, one pass. A scanner belongs to one event loop.
 */
@NullMarked
package io.plenum.routing.sql;

import org.jspecify.annotations.NullMarked;
