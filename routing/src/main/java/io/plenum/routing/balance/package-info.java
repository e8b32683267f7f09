/**
 * Chooses one of several nodes that could all do the work. Depends on nothing but the number of candidates and their
 * load; each {@link io.plenum.routing.balance.Balancer} belongs to one event loop and allocates nothing.
 */
@NullMarked
package io.plenum.routing.balance;

import org.jspecify.annotations.NullMarked;
