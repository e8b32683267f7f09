package io.plenum.pooler.discovery;

/**
 * A Service of Kubernetes whose EndpointSlices name the nodes.
 *
 * @param namespace empty for the one in which we run
 * @param port of the nodes; 0 for the one that the slices say
 * @param zone in which we run, for its hints; empty if that does not count
 */
record ServiceName(String namespace, String name, int port, String zone) {}
