/**
 * What Plenum does, to be seen: a cluster with Plenum in front, and the experiment that shows why.
 *
 * <p>PostgreSQL runs as processes of its own, Plenum and the applications of the experiment in this JVM.
 */
@NullMarked
package io.plenum.bench.demo;

import org.jspecify.annotations.NullMarked;
