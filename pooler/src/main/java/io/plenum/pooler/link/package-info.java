/**
 * One client on one server for one transaction: what is renamed, brought in step and relayed, both ways.
 *
 * <p>Confined to the event loop that client and server share.
 */
@NullMarked
package io.plenum.pooler.link;

import org.jspecify.annotations.NullMarked;
