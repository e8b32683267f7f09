/** Lets standbys die, freeze, fall silent, stand still and cancel reads while clients read, and counts what those see. */
@NullMarked
package io.plenum.bench.replicas;

import org.jspecify.annotations.NullMarked;
