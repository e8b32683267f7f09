/**
 * What the operator wrote: the table of settings, the ini file, the user list, and the snapshot made of them.
 *
 * <p>Uses the JDK alone; every other package of the pooler may use this one. All public values are immutable and may be
 * read by any thread. Files are read by the thread that calls {@link io.plenum.pooler.config.ConfigLoader}, never by an
 * event loop.
 */
@NullMarked
package io.plenum.pooler.config;

import org.jspecify.annotations.NullMarked;
