package io.plenum.testbed;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;

/**
 * Where the server's programs are: an installed server that {@code plenum.postgres.home} names, or binaries from the
 * class path.
 *
 * <p>Binaries are unpacked once per machine and user under {@code java.io.tmpdir} and stay there. Any number of JVMs
 * may do so at once: one unpacks under a file lock, into a folder beside, and renames it; a folder with the final name
 * is whole.
 */
record PostgresBinaries(Path home, int majorVersion) {
    static final int DEFAULT_VERSION = 18;

    private static final String HOME_PROPERTY = "plenum.postgres.home";
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (\\d+)");

    /**
     * The installed server if one is named, whatever version is wanted; else the packed binaries of that major version.
     */
    static PostgresBinaries find(int wantedVersion) {
        var installed = System.getProperty(HOME_PROPERTY, "");
        if (!installed.isBlank()) {
            var home = Path.of(installed);
            if (!Files.isExecutable(home.resolve("bin/postgres"))) {
                throw new TestbedException(HOME_PROPERTY + "=" + installed + " has no bin/postgres");
            }
            return new PostgresBinaries(home, versionOf(home));
        }
        var packed = resource(wantedVersion);
        if (packed == null) {
            throw new TestbedException("PostgreSQL " + wantedVersion + " is not on the class path for "
                    + System.getProperty("os.arch") + "; name an installed server with -D" + HOME_PROPERTY);
        }
        try {
            var home = unpacked(packed, wantedVersion);
            int found = versionOf(home);
            if (found != wantedVersion) {
                throw new TestbedException(packed + " holds PostgreSQL " + found + ", not " + wantedVersion);
            }
            return new PostgresBinaries(home, found);
        } catch (IOException e) {
            throw new TestbedException("cannot unpack " + packed, e);
        }
    }

    String program(String name) {
        return home.resolve("bin").resolve(name).toString();
    }

    /** The folder of this user for what outlives a cluster: unpacked binaries and port locks. */
    static Path cache() {
        var folder = Path.of(System.getProperty("java.io.tmpdir"), "plenum-testbed-" + System.getProperty("user.name"));
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new TestbedException("cannot make " + folder, e);
        }
    }

    private static @Nullable URL resource(int version) {
        var arch = System.getProperty("os.arch").equals("aarch64") ? "arm_64" : "x86_64";
        var name = "postgres-linux-" + arch + ".txz";
        var folder = version == DEFAULT_VERSION ? "" : "postgres-" + version + "/";
        return PostgresBinaries.class.getClassLoader().getResource(folder + name);
    }

    // Threads of one JVM queue here, for a file lock belongs to the whole JVM and a second one in it is an error.
    private static synchronized Path unpacked(URL packed, int version) throws IOException {
        var home = cache().resolve("postgres-%d-%08x".formatted(version, checksum(packed)));
        if (Files.isDirectory(home)) {
            return home;
        }
        var lock = cache().resolve("unpack.lock");
        try (var channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var _ = channel.lock()) {
            if (!Files.isDirectory(home)) {
                var beside = home.resolveSibling(home.getFileName() + ".unpacking");
                Programs.run("rm", "-rf", beside.toString()); // what a JVM left that died here
                Files.createDirectory(beside);
                untar(packed, beside);
                Files.move(beside, home, StandardCopyOption.ATOMIC_MOVE);
            }
        }
        return home;
    }

    private static void untar(URL packed, Path into) throws IOException {
        // -o: the files belong to whoever unpacks them, also when that is root
        var tar = new ProcessBuilder("tar", "-x", "-o", "-f", "-", "-C", into.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (var in = new XZInputStream(new BufferedInputStream(packed.openStream()));
                var out = tar.getOutputStream()) {
            in.transferTo(out);
        }
        Programs.requireSuccess(tar, "tar");
    }

    /** Tells two builds of one version apart. A jar knows the sum already; a plain file is read. */
    private static long checksum(URL packed) throws IOException {
        if (packed.openConnection() instanceof JarURLConnection jar) {
            return jar.getJarEntry().getCrc();
        }
        try (var in = new CheckedInputStream(packed.openStream(), new CRC32())) {
            in.transferTo(OutputStream.nullOutputStream());
            return in.getChecksum().getValue();
        }
    }

    private static int versionOf(Path home) {
        var answer = Programs.run(home.resolve("bin/postgres").toString(), "--version");
        var matcher = VERSION.matcher(answer);
        if (!matcher.find()) {
            throw new TestbedException(home + " answers \"" + answer + "\" when asked for its version");
        }
        return Integer.parseInt(matcher.group(1));
    }
}
