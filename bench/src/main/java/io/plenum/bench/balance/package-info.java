/**
 * What shares each policy gives, by a model: the pooler's own balancers, and standbys that are queues. Time is an argument
 * and chance has a seed, so the same numbers come out everywhere. One thread.
 */
@NullMarked
package io.plenum.bench.balance;

import org.jspecify.annotations.NullMarked;
