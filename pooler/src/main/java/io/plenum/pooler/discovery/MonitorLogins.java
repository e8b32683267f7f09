package io.plenum.pooler.discovery;

import io.plenum.pooler.server.ServerCredential;
import java.util.List;

/** As whom the nodes of a cluster may be asked, best first. Control loop. */
interface MonitorLogins {
    /**
     * One user of one database.
     *
     * @param database the name on the server
     */
    record Login(String database, String user, ServerCredential credential) {}

    /** Those that are known now; a client that logs in may add one. */
    List<Login> now();
}
