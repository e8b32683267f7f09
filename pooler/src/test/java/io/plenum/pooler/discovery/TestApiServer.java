package io.plenum.pooler.discovery;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A server that keeps objects and tells watchers of them: fabric8's imitation, or a real kube-apiserver over a real etcd
 * where the system properties {@value #APISERVER} and {@value #ETCD} say where their programs are.
 */
final class TestApiServer implements AutoCloseable {
    static final String NAMESPACE = "db";

    private static final String APISERVER = "plenum.kube-apiserver";
    private static final String ETCD = "plenum.etcd";
    private static final String TOKEN = "of-the-test";
    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(90);

    private final KubernetesClient client;
    private final Runnable stop;

    private TestApiServer(KubernetesClient client, Runnable stop) {
        this.client = client;
        this.stop = stop;
    }

    static TestApiServer start() throws IOException {
        String apiserver = System.getProperty(APISERVER, "");
        String etcd = System.getProperty(ETCD, "");
        return apiserver.isEmpty() || etcd.isEmpty() ? imitation() : real(apiserver, etcd);
    }

    /** A client that may do everything. */
    KubernetesClient client() {
        return client;
    }

    /** How to connect. */
    Config configuration() {
        return client.getConfiguration();
    }

    @Override
    public void close() {
        client.close();
        stop.run();
    }

    private static TestApiServer imitation() {
        var server = new KubernetesMockServer(
                new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
        server.init();
        return new TestApiServer(server.createClient(), server::destroy);
    }

    private static TestApiServer real(String apiserver, String etcd) throws IOException {
        Path directory = Files.createTempDirectory("plenum-kube");
        List<Process> processes = new ArrayList<>();
        Runnable stop = () -> stop(processes, directory);
        try {
            int etcdPort = freePort();
            int etcdPeerPort = freePort();
            int port = freePort();
            String etcdUrl = "http://127.0.0.1:" + etcdPort;
            String etcdPeerUrl = "http://127.0.0.1:" + etcdPeerPort;
            processes.add(launch(
                    directory,
                    etcd,
                    "--data-dir=" + directory.resolve("etcd"),
                    "--unsafe-no-fsync",
                    "--listen-client-urls=" + etcdUrl,
                    "--advertise-client-urls=" + etcdUrl,
                    "--listen-peer-urls=" + etcdPeerUrl,
                    "--initial-advertise-peer-urls=" + etcdPeerUrl,
                    "--initial-cluster=default=" + etcdPeerUrl));
            Path tokens =
                    Files.writeString(directory.resolve("tokens.csv"), TOKEN + ",admin,admin,\"system:masters\"\n");
            Path key = Files.writeString(directory.resolve("accounts.key"), privateKey());
            processes.add(launch(
                    directory,
                    apiserver,
                    "--etcd-servers=" + etcdUrl,
                    "--secure-port=" + port,
                    "--bind-address=127.0.0.1",
                    "--cert-dir=" + directory.resolve("certificates"),
                    "--token-auth-file=" + tokens,
                    "--authorization-mode=RBAC",
                    "--disable-admission-plugins=ServiceAccount",
                    "--service-account-issuer=https://plenum.test",
                    "--service-account-key-file=" + key,
                    "--service-account-signing-key-file=" + key,
                    "--service-cluster-ip-range=10.96.0.0/24"));
            var client = new KubernetesClientBuilder()
                    .withConfig(new ConfigBuilder(Config.empty())
                            .withMasterUrl("https://127.0.0.1:" + port)
                            .withTrustCerts(true)
                            .withOauthToken(TOKEN)
                            .withNamespace(NAMESPACE)
                            .build())
                    .build();
            awaitNamespace(client, processes, directory);
            return new TestApiServer(client, stop);
        } catch (IOException | GeneralSecurityException | InterruptedException | RuntimeException e) {
            stop.run();
            throw new IOException("no API server", e);
        }
    }

    private static void awaitNamespace(KubernetesClient client, List<Process> processes, Path directory)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START_NANOS;
        var namespace = new NamespaceBuilder()
                .withNewMetadata()
                .withName(NAMESPACE)
                .endMetadata()
                .build();
        while (true) {
            try {
                client.resource(namespace).create();
                return;
            } catch (KubernetesClientException e) {
                boolean dead = processes.stream().anyMatch(process -> !process.isAlive());
                if (dead || System.nanoTime() - deadline > 0) {
                    throw new IOException(Files.readString(directory.resolve("log")), e);
                }
                TimeUnit.MILLISECONDS.sleep(200);
            }
        }
    }

    private static Process launch(Path directory, String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()))
                .start();
    }

    /** Signs the tokens of service accounts, of which there are none. */
    private static String privateKey() throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        byte[] encoded = generator.generateKeyPair().getPrivate().getEncoded();
        return "-----BEGIN PRIVATE KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                + "\n-----END PRIVATE KEY-----\n";
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void stop(List<Process> processes, Path directory) {
        for (Process process : processes.reversed()) {
            process.destroyForcibly();
        }
        try (var files = Files.walk(directory)) {
            for (Process process : processes) {
                process.waitFor();
            }
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException _) {
            // a temporary directory stays behind
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
