/**
 * Drivers and frameworks as applications use them, each scenario once straight to PostgreSQL and once through a pooler
 * whose servers change under it: an application must not be able to tell.
 */
@NullMarked
package io.plenum.pooler.drivers;

import org.jspecify.annotations.NullMarked;
