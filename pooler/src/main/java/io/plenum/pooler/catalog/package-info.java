/**
 * What the names of each database stand for: its functions, views, sequences and triggers, read over a short connection of
 * our own, so that the classifier knows more than its lists.
 *
 * <p>A {@link io.plenum.pooler.catalog.DatabaseCatalog} works on the control loop; its snapshot is for any thread. May use
 * {@code pool} and what lies below.
 *
 * <p>Known gaps. What is defined through Plenum is known when its transaction has ended; what is defined elsewhere, or
 * inside of functions, up to {@code catalog_refresh} later. While clients use all connections
 * that database and user may have, nothing is read.
 */
@NullMarked
package io.plenum.pooler.catalog;

import org.jspecify.annotations.NullMarked;
