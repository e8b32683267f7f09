package io.plenum.bench.compare;

import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a client that does nothing costs: clients log in, run one query and stay.
 *
 * @param kibPerClient growth of the pooler's resident memory, divided by the clients
 */
record IdleClients(int clients, double kibPerClient) {

    /**
     * Measures after a tenth of the clients has come and gone, so that what the first ones load and compile is not counted.
     */
    static IdleClients measure(Rival rival, String database, String user, int clients)
            throws IOException, InterruptedException {
        closeAll(open(rival, database, user, Math.max(1, clients / 10)));
        Thread.sleep(1_000);
        long before = rival.usage().residentKib();
        var open = open(rival, database, user, clients);
        try {
            Thread.sleep(1_000);
            return new IdleClients(clients, (double) (rival.usage().residentKib() - before) / clients);
        } finally {
            closeAll(open);
        }
    }

    private static List<WireClient> open(Rival rival, String database, String user, int clients) throws IOException {
        List<WireClient> open = new ArrayList<>(clients);
        try {
            for (int i = 0; i < clients; i++) {
                var client = WireClient.connect(rival.host(), rival.port(), database, user, null);
                open.add(client);
                client.query("SELECT 1");
            }
            return open;
        } catch (IOException | RuntimeException e) {
            closeAll(open);
            throw e;
        }
    }

    private static void closeAll(List<WireClient> clients) throws IOException {
        for (var client : clients) {
            client.close();
        }
    }
}
