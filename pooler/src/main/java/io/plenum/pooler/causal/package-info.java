/**
 * What reads must have seen: how far the primary has written, how far each standby has replayed, and how much of that one
 * client, or all of this process, may insist on.
 */
@NullMarked
package io.plenum.pooler.causal;

import org.jspecify.annotations.NullMarked;
