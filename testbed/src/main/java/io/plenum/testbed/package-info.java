/**
 * Real PostgreSQL, a raw protocol client, a breakable network and a DNS server: what tests, the demo and the load
 * programs run against.
 *
 * <p>Nothing here knows any other module of Plenum, so that an error in our reading of the protocol cannot hide in both
 * the pooler and its judge. Calls block; they run on the thread of the test, which may be virtual. The servers of
 * {@link io.plenum.testbed.FaultProxy} and {@link io.plenum.testbed.TestDns} run on daemon threads of their own.
 */
@NullMarked
package io.plenum.testbed;

import org.jspecify.annotations.NullMarked;
