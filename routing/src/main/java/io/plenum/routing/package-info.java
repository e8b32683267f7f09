/**
 * Decides where a batch of statements goes: {@link io.plenum.routing.StatementClassifier} says what a text is,
 * {@link io.plenum.routing.Router} what the batch around it may do, and each answer is a
 * {@link io.plenum.routing.Reason} that names its {@link io.plenum.routing.Target}.
 *
 * <p>Nothing here reads a clock, a socket or a file. The rule of the whole package: a replica only for what is proven
 * to be a read; anything doubted goes to the primary. PostgreSQL is the judge of it: what is called a read here must
 * succeed in a read-only transaction on a standby and leave no trace.
 *
 * <p>Classifier and router belong to one event loop each; the rest is immutable.
 */
@NullMarked
package io.plenum.routing;

import org.jspecify.annotations.NullMarked;
