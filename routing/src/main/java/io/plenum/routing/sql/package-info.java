/**
 * Reads SQL as bytes: {@link io.plenum.routing.sql.SqlScanner} cuts a text into tokens as PostgreSQL's own lexer does,
 * {@link io.plenum.routing.sql.Vocabulary} knows the words and functions that mean something to us, and
 * {@link io.plenum.routing.sql.TokenCursor} goes over the tokens and remembers what stood before. No grammar here,
 * nothing is allocated per token, one pass. Scanner and cursor belong to one event loop.
 */
@NullMarked
package io.plenum.routing.sql;

import org.jspecify.annotations.NullMarked;
