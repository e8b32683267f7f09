package io.plenum.wire.recording;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.wire.auth.Md5Secret;
import io.plenum.wire.auth.ScramClient;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.ProtocolVersion;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The program that records the conversations under {@code src/test/resources/recordings} anew.
 *
 * <p>Arguments: the major version, the port on the loopback address of a server of that version, and the folder {@code
 * recordings}. The server needs a superuser {@code postgres} who may log in without a password, and these lines at the
 * head of its pg_hba.conf:
 *
 * <pre>
 * host all plenum_scram 127.0.0.1/32 scram-sha-256
 * host all plenum_md5   127.0.0.1/32 md5
 * host all plenum_plain 127.0.0.1/32 password
 * </pre>
 *
 * <p>Half of the conversations are scripts that want each message once; the other half are those of psql and pgbench,
 * so that the bytes of libpq are among them.
 */
public final class RecordConversations {
    private static final String PASSWORD = "correct horse";

    private final int port;
    private final Path folder;
    private final String server;
    private final SecureRandom random = new SecureRandom();

    private RecordConversations(String version, int port, Path recordings) throws IOException {
        this.port = port;
        folder = Files.createDirectories(recordings.resolve(version));
        server = "PostgreSQL " + version;
    }

    public static void main(String[] arguments) throws Exception {
        RecordConversations program =
                new RecordConversations(arguments[0], Integer.parseInt(arguments[1]), Path.of(arguments[2]));
        program.prepareRoles();
        program.recordScripts();
        program.recordLibpq();
    }

    private void prepareRoles() throws Exception {
        run(port, "psql", "-c", "drop role if exists plenum_scram, plenum_md5, plenum_plain");
        run(port, "psql", "-c", "create role plenum_scram login password '" + PASSWORD + "'");
        run(port, "psql", "-c", "create role plenum_plain login password '" + PASSWORD + "'");
        run(
                port,
                "psql",
                "-c",
                "set password_encryption = md5; create role plenum_md5 login password '" + PASSWORD + "'");
        run(port, "pgbench", "-i", "-q", "-s", "1");
    }

    private void recordScripts() throws Exception {
        script("simple-query", client -> {
            client.login("postgres");
            client.say(out -> FrontendMessages.query(out, "select 1 as one, null as nothing, 'ä' as letter"));
            client.say(out -> FrontendMessages.query(out, "select 1; select 2; set application_name = 'renamed'"));
            client.say(out -> FrontendMessages.query(out, ""));
            client.say(out -> FrontendMessages.query(out, "select 1/0"));
            client.say(
                    out -> FrontendMessages.query(out, "do $$ begin raise notice 'heard' using detail = 'd'; end $$"));
            client.say(out -> FrontendMessages.query(out, "do $$ begin raise exception 'no' using hint = 'h'; end $$"));
            client.say(out -> FrontendMessages.query(out, "begin"));
            client.say(out -> FrontendMessages.query(out, "select nowhere"));
            client.say(out -> FrontendMessages.query(out, "select 1"));
            client.say(out -> FrontendMessages.query(out, "rollback"));
        });
        script("extended-query", client -> {
            client.login("postgres");
            client.say(out -> {
                FrontendMessages.parse(out, "s1", "select $1::int4 + $2::int4", 23, 23);
                FrontendMessages.describeStatement(out, "s1");
                FrontendMessages.bind(out, "", "s1", List.of(ascii("1"), ascii("41")));
                FrontendMessages.describePortal(out, "");
                FrontendMessages.execute(out, "", FrontendMessages.ALL_ROWS);
                FrontendMessages.closeStatement(out, "s1");
                FrontendMessages.sync(out);
            });
            client.say(out -> {
                FrontendMessages.parse(out, "", "select generate_series(1, 3)");
                FrontendMessages.bind(out, "p1", "", List.of());
                FrontendMessages.execute(out, "p1", 2);
                FrontendMessages.execute(out, "p1", 2);
                FrontendMessages.closePortal(out, "p1");
                FrontendMessages.sync(out);
            });
            client.say(out -> {
                FrontendMessages.parse(out, "", "set work_mem = '4MB'");
                FrontendMessages.describeStatement(out, "");
                FrontendMessages.bind(out, "", "", List.of());
                FrontendMessages.describePortal(out, "");
                FrontendMessages.execute(out, "", 0);
                FrontendMessages.parse(out, "", "");
                FrontendMessages.bind(out, "", "", List.of());
                FrontendMessages.execute(out, "", 0);
                FrontendMessages.sync(out);
            });
            client.say(out -> {
                FrontendMessages.parse(out, "wrong", "selec");
                FrontendMessages.bind(out, "", "wrong", List.of());
                FrontendMessages.execute(out, "", 0);
                FrontendMessages.sync(out);
            });
            client.say(out -> {
                FrontendMessages.bind(out, "", "missing", Collections.singletonList(null));
                FrontendMessages.flush(out);
                FrontendMessages.sync(out);
            });
        });
        script("tags", client -> {
            client.login("postgres");
            for (String sql : List.of(
                    "begin",
                    "savepoint a",
                    "release a",
                    "commit",
                    "start transaction",
                    "rollback",
                    "set work_mem = '4MB'",
                    "reset work_mem",
                    "prepare p as select 1",
                    "execute p",
                    "deallocate p",
                    "deallocate all",
                    "discard plans",
                    "discard sequences",
                    "discard temp",
                    "discard all",
                    "listen c",
                    "notify c, 'hello'",
                    "unlisten c",
                    "show work_mem",
                    "create temp table t (i int)",
                    "insert into t values (1), (2)",
                    "update t set i = 3",
                    "select * from t",
                    "delete from t",
                    "begin; declare c cursor for select 1",
                    "fetch c",
                    "move c",
                    "close c",
                    "close all",
                    "set constraints all deferred",
                    "lock table t",
                    "commit",
                    "explain select 1",
                    "do 'begin end'",
                    "merge into t using t as s on false when matched then do nothing",
                    "drop table t",
                    "load 'plpgsql'")) {
                client.say(out -> FrontendMessages.query(out, sql));
            }
        });
        script("copy", client -> {
            client.login("postgres");
            client.say(out -> FrontendMessages.query(out, "create temp table t (i int, s text)"));
            client.ask(out -> FrontendMessages.query(out, "copy t from stdin"), 'G');
            client.say(out -> {
                FrontendMessages.copyData(out, ascii("1\tone\n"));
                FrontendMessages.copyData(out, ascii("2\ttwo\n"));
                FrontendMessages.copyDone(out);
            });
            client.ask(out -> FrontendMessages.query(out, "copy t from stdin"), 'G');
            client.say(out -> FrontendMessages.copyFail(out, "changed my mind"));
            client.say(out -> FrontendMessages.query(out, "copy t to stdout"));
        });
        script("function-call", client -> {
            client.login("postgres");
            client.say(
                    out -> FrontendMessages.functionCall(out, 2308, List.of(ascii("-7")))); // abs(float8), by its OID
            client.say(out -> FrontendMessages.functionCall(out, 1, List.of()));
        });
        script("notification", client -> {
            client.login("postgres");
            client.say(out -> FrontendMessages.query(out, "listen news"));
            client.say(out -> FrontendMessages.query(out, "notify news, 'late'"));
        });
        for (String role : List.of("plenum_scram", "plenum_md5", "plenum_plain")) {
            script("login-" + role.substring("plenum_".length()), client -> client.login(role));
        }
        script(
                "login-refused",
                client -> client.ask(
                        out -> FrontendMessages.startup(out, ProtocolVersion.V3_0, Map.of("user", "nobody")), 'E'));
        for (int minor : new int[] {0, 1, 2, 99}) {
            script("version-3." + minor, client -> {
                client.ask(
                        out -> FrontendMessages.startup(out, new ProtocolVersion(3, minor), parameters("postgres")),
                        'Z');
            });
        }
        script("version-protocol-option", client -> {
            Map<String, String> parameters = parameters("postgres");
            parameters.put("_pq_.speed", "warp");
            parameters.put("_pq_.shields", "up");
            client.ask(out -> FrontendMessages.startup(out, ProtocolVersion.V3_0, parameters), 'Z');
        });
        script(
                "cancel",
                client -> client.ask(
                        out -> FrontendMessages.cancelRequest(out, new CancelKey(1, new byte[] {1, 2, 3, 4})), CLOSED));
    }

    private void recordLibpq() throws Exception {
        libpq(
                "libpq-psql",
                "psql",
                "-c",
                "select 1",
                "-c",
                "create temp table t (i int)",
                "-c",
                "\\copy t from program 'seq 3'",
                "-c",
                "\\copy t to stdout",
                "-c",
                "select 1/0");
        libpq("libpq-tls-wanted", "psql", "-d", "sslmode=prefer", "-c", "select 1");
        libpq("libpq-cursor", "psql", "-v", "FETCH_COUNT=2", "-c", "select generate_series(1, 3)");
        libpq("libpq-bench-extended", "pgbench", "-n", "-M", "extended", "-t", "2", "-S");
        libpq("libpq-bench-prepared", "pgbench", "-n", "-M", "prepared", "-t", "2", "-S");
        libpq("libpq-bench-write", "pgbench", "-n", "-M", "prepared", "-t", "1");
    }

    private void libpq(String name, String... command) throws Exception {
        try (Recorder recorder = new Recorder(port)) {
            run(recorder.port(), command);
            recorder.finish(name).write(folder.resolve(name + ".hex"), server + ", " + command[0]);
        }
    }

    private static void run(int port, String... command) throws Exception {
        ProcessBuilder process = new ProcessBuilder(command);
        process.environment().put("PGHOST", "127.0.0.1");
        process.environment().put("PGPORT", Integer.toString(port));
        process.environment().put("PGUSER", "postgres");
        process.environment().put("PGDATABASE", "postgres");
        process.environment().putIfAbsent("PGSSLMODE", "disable");
        process.environment().put("PGGSSENCMODE", "disable");
        process.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        if (!process.start().waitFor(1, TimeUnit.MINUTES)) {
            throw new IOException(String.join(" ", command) + " does not end");
        }
    }

    private interface Script {
        void run(Client client) throws IOException;
    }

    private void script(String name, Script script) throws Exception {
        try (Recorder recorder = new Recorder(port)) {
            try (Client client = new Client(recorder.port())) {
                script.run(client);
                if (!client.closed) {
                    client.send(FrontendMessages::terminate);
                    client.readTo(CLOSED);
                }
            }
            recorder.finish(name).write(folder.resolve(name + ".hex"), server + ", script");
        }
    }

    private static final char CLOSED = '\0';

    private static Map<String, String> parameters(String user) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", user);
        parameters.put("database", "postgres");
        return parameters;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A client that speaks, then listens up to a message of some type. */
    private final class Client implements AutoCloseable {
        private final Socket socket;
        private final DataInputStream in;
        private boolean closed;

        Client(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            in = new DataInputStream(socket.getInputStream());
        }

        void login(String role) throws IOException {
            send(out -> FrontendMessages.startup(out, ProtocolVersion.V3_0, parameters(role)));
            ScramClient scram = ScramClient.withPassword(PASSWORD, random);
            while (true) {
                byte[] message = readTo('R');
                byte[] data = Arrays.copyOfRange(message, 9, message.length);
                switch (message[8]) {
                    case 0 -> {
                        readTo('Z');
                        return;
                    }
                    case 3 -> send(out -> FrontendMessages.password(out, ascii(PASSWORD)));
                    case 5 ->
                        send(out -> FrontendMessages.password(
                                out, Md5Secret.of(role, PASSWORD).response(data)));
                    case 10 ->
                        send(out -> FrontendMessages.saslInitialResponse(out, "SCRAM-SHA-256", scram.clientFirst()));
                    case 11 -> send(out -> FrontendMessages.saslResponse(out, scram.onServerFirst(data)));
                    case 12 -> scram.onServerFinal(data);
                    default -> throw new IOException("authentication request " + message[8]);
                }
            }
        }

        /** Says something that ReadyForQuery answers in the end. */
        void say(Consumer<ByteBuf> message) throws IOException {
            ask(message, 'Z');
        }

        void ask(Consumer<ByteBuf> message, char answer) throws IOException {
            send(message);
            readTo(answer);
        }

        void send(Consumer<ByteBuf> message) throws IOException {
            ByteBuf out = Unpooled.buffer();
            message.accept(out);
            socket.getOutputStream().write(ByteBufUtil.getBytes(out));
        }

        byte[] readTo(char type) throws IOException {
            while (true) {
                int first = in.read();
                if (first < 0) {
                    closed = true;
                    if (type == CLOSED) {
                        return new byte[0];
                    }
                    throw new IOException("server closed before " + type);
                }
                byte[] message = Recorder.message((byte) first, in);
                if (first == type) {
                    return message;
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
