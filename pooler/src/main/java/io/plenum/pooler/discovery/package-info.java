/**
 * Which nodes a database has and what each of them is: addresses from lists and DNS, roles from PostgreSQL.
 *
 * <p>Runs on the control loop, beside all traffic; publishes immutable topologies.
 */
@NullMarked
package io.plenum.pooler.discovery;

import org.jspecify.annotations.NullMarked;
