package io.plenum.pooler.discovery;

import io.plenum.pooler.server.ServerCredential;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.routing.topology.Node;
import java.util.List;
import java.util.Map;

/** As whom the nodes of a cluster may be asked, best first. Control loop. */
interface MonitorLogins {
    /**
     * One user of one database.
     *
     * @param database the name on the server
     */
    record Login(String database, String user, ServerCredential credential) {
        /** A node, to be asked as this user; {@code applicationName} says there what for. */
        ServerTarget at(Node node, String applicationName) {
            var parameters = Map.of("application_name", applicationName);
            return new ServerTarget(node.address(), database, user, credential, parameters, null);
        }
    }

    /** Those that are known now; a client that logs in may add one. */
    List<Login> now();
}
