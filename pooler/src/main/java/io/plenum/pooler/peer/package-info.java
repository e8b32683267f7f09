/**
 * The other processes behind the same address: which there are, and how a cancel request gets to the one that knows its key.
 *
 * <p>Runs on the control loop, beside all traffic.
 */
@NullMarked
package io.plenum.pooler.peer;

import org.jspecify.annotations.NullMarked;
