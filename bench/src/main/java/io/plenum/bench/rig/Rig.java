package io.plenum.bench.rig;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.PoolerProcess;
import io.plenum.pooler.Pooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** A PostgreSQL and a pooler in front of it, made for one program and gone with it. */
public final class Rig implements AutoCloseable {
    private static final String DATABASE = "app";
    /** A superuser, because the programs end other sessions and look into them. */
    private static final String USER = PostgresCluster.SUPERUSER;

    private final PostgresCluster cluster;
    private final AutoCloseable pooler;
    private final Target target;

    private Rig(PostgresCluster cluster, AutoCloseable pooler, Target target) {
        this.cluster = cluster;
        this.pooler = pooler;
        this.target = target;
    }

    /**
     * Starts Plenum in this JVM, in transaction mode.
     *
     * @param settings lines of the section [pgbouncer], Plenum's own among them
     */
    public static Rig plenum(int poolSize, List<String> settings) {
        return start(
                poolSize,
                settings,
                (directory, ini, _) -> Pooler.start(PoolerConfig.parse(Files.readString(ini), directory)));
    }

    /** Starts another pooler that reads PgBouncer's files, by its command less the ini file. */
    public static Rig process(List<String> command, int poolSize, List<String> settings) {
        return start(poolSize, settings, (_, ini, port) -> PoolerProcess.start(command, ini, port, DATABASE, USER));
    }

    /** Starts no pooler: the target is PostgreSQL. */
    public static Rig postgres() {
        var cluster = PostgresCluster.builder().start();
        var primary = cluster.primary();
        return new Rig(cluster, () -> {}, targetOf(primary, primary.host(), primary.port()));
    }

    public Target target() {
        return target;
    }

    public PostgresCluster cluster() {
        return cluster;
    }

    private interface Starter {
        AutoCloseable start(Path directory, Path ini, int port) throws IOException;
    }

    private static Rig start(int poolSize, List<String> settings, Starter starter) {
        var cluster = PostgresCluster.builder().start();
        try {
            var directory = Files.createTempDirectory(
                    "plenum-rig", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            var primary = cluster.primary();
            int port = PoolerProcess.freePort();
            var users = directory.resolve("userlist.txt");
            Files.writeString(users, "\"%s\" \"\"\n".formatted(USER));
            var ini = directory.resolve("pooler.ini");
            Files.writeString(ini, """
                [databases]
                %s = host=%s port=%d

                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = %d
                unix_socket_dir =
                auth_type = trust
                auth_file = %s
                admin_users = %s
                pool_mode = transaction
                default_pool_size = %d
                max_client_conn = 20000
                log_connections = 0
                log_disconnections = 0
                %s
                """.formatted(
                            DATABASE,
                            primary.host(),
                            primary.port(),
                            port,
                            users,
                            USER,
                            poolSize,
                            String.join("\n", settings)));
            var pooler = starter.start(directory, ini, port);
            return new Rig(
                    cluster,
                    () -> {
                        pooler.close();
                        Files.delete(ini);
                        Files.delete(users);
                        Files.deleteIfExists(PoolerProcess.logOf(ini));
                        Files.delete(directory);
                    },
                    targetOf(primary, "127.0.0.1", port));
        } catch (IOException e) {
            cluster.close();
            throw new BenchException("cannot write the pooler's files", e);
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private static Target targetOf(PostgresNode postgres, String host, int port) {
        return new Target(host, port, postgres.host(), postgres.port(), DATABASE, USER, null);
    }

    @Override
    public void close() {
        try (cluster) {
            pooler.close();
        } catch (Exception e) {
            throw new BenchException("cannot end the pooler in order", e);
        }
    }
}
