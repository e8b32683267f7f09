/**
 * One client: login, its batches, waiting, cancel.
 *
 * <p>Confined to the event loop of the connection.
 */
@NullMarked
package io.plenum.pooler.client;

import org.jspecify.annotations.NullMarked;
