/**
 * Which nodes exist and what each of them is. {@link io.plenum.routing.topology.Roster} folds what discovery and the
 * probes say into immutable {@link io.plenum.routing.topology.Topology} snapshots, which any thread may read. Time
 * comes in as an argument.
 */
@NullMarked
package io.plenum.routing.topology;

import org.jspecify.annotations.NullMarked;
