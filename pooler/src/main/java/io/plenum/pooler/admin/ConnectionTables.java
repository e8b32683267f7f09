package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.ColumnType.BYTEA;
import static io.plenum.pooler.admin.ColumnType.INT4;
import static io.plenum.pooler.admin.ColumnType.INT8;
import static io.plenum.pooler.admin.ColumnType.TEXT;
import static io.plenum.pooler.metrics.Census.Depth.CONNECTIONS;

import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.metrics.Census.ClientFacts;
import io.plenum.pooler.metrics.Census.Peer;
import io.plenum.pooler.metrics.Census.ServerFacts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The tables of SHOW with a row for each connection. */
final class ConnectionTables {
    private static final long CLIENT_POINTERS = 0x1000_0000_0000L;
    private static final long SERVER_POINTERS = 0x2000_0000_0000L;

    private ConnectionTables() {}

    static ShowTable clients() {
        return connections("CLIENTS", "Every client that is logged in.")
                .rows(view -> loggedIn(view).map(client -> client(client, client.state())));
    }

    static ShowTable servers() {
        return connections("SERVERS", "Every server connection.")
                .rows(view -> view.census().servers().stream().map(server -> server(server, server.state())));
    }

    static ShowTable sockets(String word, String about, boolean activeOnly) {
        return connections(word, about)
                .column("recv_pos", INT4)
                .column("pkt_pos", INT4)
                .column("pkt_remain", INT4)
                .column("send_pos", INT4)
                .column("send_remain", INT4)
                .column("pkt_avail", INT4)
                .column("send_avail", INT4)
                .rows(view -> Stream.concat(
                                loggedIn(view)
                                        .filter(client ->
                                                !activeOnly || !client.state().equals("idle"))
                                        .map(client -> client(client, "cl_" + client.state())),
                                view.census().servers().stream()
                                        .filter(server ->
                                                !activeOnly || !server.state().equals("idle"))
                                        .map(server -> server(server, "sv_" + server.state())))
                        .map(ConnectionTables::withoutBuffers));
    }

    static ShowTable fds() {
        return TableBuilder.restricted(
                        "FDS",
                        "The sockets of clients and servers, for `admin_users` alone, in the columns of PgBouncer"
                                + " before 1.26. Keys and passwords are never shown, and no socket is handed over.",
                        CONNECTIONS)
                .column("fd", INT4, "-1 where the transport does not tell")
                .column("task", TEXT, "`client` or `server`")
                .column("user", TEXT)
                .column("database", TEXT)
                .column("addr", TEXT)
                .column("port", INT4)
                .column("cancel", INT8, "always 0")
                .column("link", INT4, "the `fd` of the other side, or 0")
                .column("client_encoding", TEXT, "always empty, as all that follow")
                .column("std_strings", TEXT)
                .column("datestyle", TEXT)
                .column("timezone", TEXT)
                .column("password", TEXT)
                .column("scram_client_key", BYTEA)
                .column("scram_server_key", BYTEA)
                .rows(view -> {
                    Map<Long, Integer> fds = new HashMap<>();
                    view.census().clients().forEach(client -> fds.put(client.id(), client.fd()));
                    view.census().servers().forEach(server -> fds.put(server.id(), server.fd()));
                    return Stream.concat(
                            loggedIn(view)
                                    .filter(client -> !ShowTables.CONSOLE_NAMES.contains(client.database()))
                                    .map(client -> fd(
                                            client.fd(),
                                            "client",
                                            client.user(),
                                            client.database(),
                                            client.peer(),
                                            fds.getOrDefault(client.serverId(), 0))),
                            view.census().servers().stream()
                                    .map(server -> fd(
                                            server.fd(),
                                            "server",
                                            server.user(),
                                            server.database(),
                                            server.peer(),
                                            fds.getOrDefault(server.clientId(), 0))));
                });
    }

    private static TableBuilder connections(String word, String about) {
        return TableBuilder.table(word, about, CONNECTIONS)
                .column("type", TEXT, "C for a client, S for a server connection")
                .column("user", TEXT)
                .column("database", TEXT)
                .column("replication", TEXT, "`none`, `logical` or `physical`")
                .column("state", TEXT)
                .column("addr", TEXT)
                .column("port", INT4)
                .column("local_addr", TEXT)
                .column("local_port", INT4)
                .column("connect_time", TEXT)
                .column("request_time", TEXT, "when the last request began")
                .column("wait", INT4, "time that it waits for a server connection, in seconds")
                .column("wait_us", INT4, "the rest of it, in microseconds")
                .column("close_needed", INT4, "1 if it is closed as soon as it is free")
                .column("ptr", TEXT)
                .column("link", TEXT, "the `ptr` of the other side")
                .column("remote_pid", INT4, "process of the backend, for a server connection")
                .column("tls", TEXT)
                .column("application_name", TEXT)
                .column("prepared_statements", INT4)
                .column("id", INT4, "what KILL_CLIENT takes");
    }

    private static Row withoutBuffers(Row row) {
        List<@Nullable Object> values = new ArrayList<>(row.values());
        values.addAll(Collections.nCopies(7, 0));
        return new Row(values);
    }

    private static Stream<ClientFacts> loggedIn(View view) {
        return view.census().clients().stream()
                .filter(client ->
                        !client.state().equals("login") && !client.state().equals("leaving"));
    }

    private static Row client(ClientFacts client, String state) {
        Peer peer = client.peer();
        return Row.of(
                "C",
                client.user(),
                client.database(),
                client.replication(),
                state,
                peer.address(),
                peer.port(),
                peer.localAddress(),
                peer.localPort(),
                ShowTables.time(client.connectedAtMillis()),
                ShowTables.time(client.requestAtMillis()),
                client.waitNanos() / ShowTables.NANOS_PER_SECOND,
                client.waitNanos() % ShowTables.NANOS_PER_SECOND / 1000,
                client.closeNeeded() ? 1 : 0,
                pointer(CLIENT_POINTERS, client.id()),
                client.serverId() == 0 ? "" : pointer(SERVER_POINTERS, client.serverId()),
                0,
                client.tls(),
                client.applicationName(),
                client.preparedStatements(),
                client.id());
    }

    private static Row server(ServerFacts server, String state) {
        Peer peer = server.peer();
        return Row.of(
                "S",
                server.user(),
                server.database(),
                server.replication(),
                state,
                peer.address(),
                peer.port(),
                peer.localAddress(),
                peer.localPort(),
                ShowTables.time(server.connectedAtMillis()),
                ShowTables.time(server.requestAtMillis()),
                0,
                0,
                server.closeNeeded() ? 1 : 0,
                pointer(SERVER_POINTERS, server.id()),
                server.clientId() == 0 ? "" : pointer(CLIENT_POINTERS, server.clientId()),
                server.processId(),
                server.tls(),
                server.applicationName(),
                server.preparedStatements(),
                server.id());
    }

    private static String pointer(long space, long id) {
        return "0x%012x".formatted(space | id);
    }

    private static Row fd(int fd, String task, String user, String database, Peer peer, int link) {
        return Row.of(
                fd,
                task,
                user,
                database,
                peer.address(),
                peer.port(),
                0,
                link,
                null,
                null,
                null,
                null,
                null,
                null,
                null);
    }
}
