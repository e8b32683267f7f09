/**
 * Conversations of real clients with real servers, kept byte by byte: what the tests of this module are held against,
 * and the programs that record them anew.
 */
@NullMarked
package io.plenum.wire.recording;

import org.jspecify.annotations.NullMarked;
