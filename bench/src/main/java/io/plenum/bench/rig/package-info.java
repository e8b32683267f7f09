/**
 * What the judging programs run against: any pooler that listens, or one that they start over a PostgreSQL of their own.
 *
 * <p>Each call runs on its caller's thread and blocks it.
 */
@NullMarked
package io.plenum.bench.rig;

import org.jspecify.annotations.NullMarked;
