/**
 * The C library of Linux-PAM, called by the JDK's foreign functions; not there on every machine.
 *
 * <p>Calls wait for whatever PAM asks, so never on an event loop.
 */
@NullMarked
package io.plenum.pooler.pam;

import org.jspecify.annotations.NullMarked;
