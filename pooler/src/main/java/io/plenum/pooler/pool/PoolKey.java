package io.plenum.pooler.pool;

import io.plenum.routing.topology.Node;

/** What makes server connections exchangeable: the node, the database entry and the user. */
public record PoolKey(Node node, String database, String user) {}
