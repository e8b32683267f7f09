/**
 * The process: command line, log, signals, pid file, and the object graph with its order of start and stop.
 *
 * <p>May use every package of the pooler; none of them uses this one. Runs on the main thread and on the threads that
 * the JVM makes for signals.
 */
@NullMarked
package io.plenum.pooler;

import org.jspecify.annotations.NullMarked;
