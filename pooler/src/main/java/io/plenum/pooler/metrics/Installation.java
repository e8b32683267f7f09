package io.plenum.pooler.metrics;

import io.plenum.pooler.config.PoolerConfig;
import java.util.function.Predicate;

/**
 * What no loop knows of the process.
 *
 * @param consoleVersion what the console calls itself
 * @param paused whether PAUSE or KILL is in force for a database by name
 * @param disabled whether DISABLE is
 * @param clients sockets of clients, those that log in and those of the console among them
 * @param consoles those that are logged in to the console
 * @param dnsNames names of hosts that DNS has answered for
 * @param dnsZones what is behind the first dot of them
 * @param dnsQueries questions that it has not answered yet
 */
public record Installation(
        String consoleVersion,
        PoolerConfig config,
        Predicate<String> paused,
        Predicate<String> disabled,
        int clients,
        int consoles,
        int dnsNames,
        int dnsZones,
        int dnsQueries) {}
