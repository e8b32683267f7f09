/**
 * Reads SQL as bytes: {@link io.plenum.routing.sql.SqlScanner} cuts a text into tokens as PostgreSQL's own lexer does,
 * {@link io.plenum.routing.sql.Vocabulary} knows the words and functions that mean something to us. No grammar here,
 * nothing is allocated per token, one pass. A scanner belongs to one event loop.
 */
@NullMarked
package io.plenum.routing.sql;

import org.jspecify.annotations.NullMarked;
