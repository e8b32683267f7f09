package io.plenum.pooler;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;
import javax.security.auth.x500.X500Principal;

/** An authority for one test: signs certificates that are good for a day. */
public final class Authority {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final byte[] ECDSA_SHA256 = oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02);
    private static final byte[] BASIC_CONSTRAINTS = oid(0x55, 0x1D, 0x13);
    private static final byte[] ALTERNATIVE_NAMES = oid(0x55, 0x1D, 0x11);

    private final X500Principal name;
    private final KeyPair keys = ellipticKeys();
    private final AtomicInteger serial = new AtomicInteger(1);
    private final Path directory;
    private final Path file;

    /** Its own certificate is written into the directory, and so are all that it signs. */
    public Authority(String name, Path directory) {
        this.name = new X500Principal("CN=" + name);
        this.directory = directory;
        this.file = directory.resolve(name + ".crt");
        write(file, pem("CERTIFICATE", sign(this.name, keys.getPublic(), true)));
    }

    /** A key and the certificate for it, as files. */
    public record Issued(Path key, Path certificate, PrivateKey privateKey, X509Certificate x509) {
        public String keyText() {
            return read(key);
        }

        public String certificateText() {
            return read(certificate);
        }
    }

    /** The authority's own certificate. */
    public Path file() {
        return file;
    }

    public String text() {
        return read(file);
    }

    /** A certificate with this common name, good for these names and addresses. */
    public Issued issue(String commonName, String... hosts) {
        return issue(ellipticKeys(), commonName, hosts);
    }

    /** The same with an RSA key. */
    public Issued issueRsa(String commonName, String... hosts) {
        return issue(keys("RSA", 2048), commonName, hosts);
    }

    private Issued issue(KeyPair own, String commonName, String... hosts) {
        byte[] certificate = sign(new X500Principal("CN=" + commonName), own.getPublic(), false, hosts);
        String base = file.getFileName() + "-" + commonName + "-" + serial;
        Path keyFile = directory.resolve(base + ".key");
        Path certificateFile = directory.resolve(base + ".crt");
        write(keyFile, pem("PRIVATE KEY", own.getPrivate().getEncoded()));
        write(certificateFile, pem("CERTIFICATE", certificate));
        return new Issued(keyFile, certificateFile, own.getPrivate(), x509(certificate));
    }

    private byte[] sign(X500Principal subject, PublicKey key, boolean authority, String... hosts) {
        Instant now = Instant.now();
        byte[] algorithm = der(0x30, ECDSA_SHA256);
        byte[] validity = der(
                0x30,
                der(0x18, ascii(TIME.format(now.minusSeconds(3600)))),
                der(0x18, ascii(TIME.format(now.plusSeconds(86_400)))));
        byte[] extensions = authority
                ? extension(BASIC_CONSTRAINTS, der(0x30, new byte[] {0x01, 0x01, (byte) 0xFF}))
                : hosts.length == 0 ? new byte[0] : extension(ALTERNATIVE_NAMES, names(hosts));
        byte[] body = der(
                0x30,
                der(0xA0, der(0x02, new byte[] {2})),
                der(0x02, BigInteger.valueOf(serial.getAndIncrement()).toByteArray()),
                algorithm,
                name.getEncoded(),
                validity,
                subject.getEncoded(),
                key.getEncoded(),
                extensions.length == 0 ? extensions : der(0xA3, der(0x30, extensions)));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(body);
            return der(0x30, body, algorithm, der(0x03, new byte[] {0}, signature.sign()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] names(String... hosts) {
        byte[][] names = Arrays.stream(hosts)
                .map(host -> Character.isDigit(host.charAt(0))
                        ? der(0x87, InetAddress.ofLiteral(host).getAddress())
                        : der(0x82, ascii(host)))
                .toArray(byte[][]::new);
        return der(0x30, names);
    }

    private static byte[] extension(byte[] oid, byte[] value) {
        return der(0x30, oid, der(0x04, value));
    }

    private static X509Certificate x509(byte[] encoded) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair ellipticKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair keys(String algorithm, int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(bits);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What stands inside of a PKCS#8 key: PKCS#1 for RSA, SEC 1 for elliptic curves. */
    public static byte[] innerKey(PrivateKey key) {
        byte[] outer = key.getEncoded();
        int at = content(outer, 0);
        at = content(outer, at) + length(outer, at);
        at = content(outer, at) + length(outer, at);
        int from = content(outer, at);
        return Arrays.copyOfRange(outer, from, from + length(outer, at));
    }

    private static int length(byte[] der, int at) {
        int first = der[at + 1] & 0xFF;
        int length = first < 0x80 ? first : 0;
        for (int i = 0; first >= 0x80 && i < (first & 0x7F); i++) {
            length = (length << 8) | (der[at + 2 + i] & 0xFF);
        }
        return length;
    }

    private static int content(byte[] der, int at) {
        int first = der[at + 1] & 0xFF;
        return at + 2 + (first < 0x80 ? 0 : first & 0x7F);
    }

    public static String pem(String type, byte[] content) {
        return "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
                + "\n-----END " + type + "-----\n";
    }

    private static byte[] oid(int... bytes) {
        byte[] content = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            content[i] = (byte) bytes[i];
        }
        return der(0x06, content);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] der(int tag, byte[]... parts) {
        var content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        int size = content.size();
        var whole = new ByteArrayOutputStream();
        whole.write(tag);
        if (size < 0x80) {
            whole.write(size);
        } else if (size < 0x100) {
            whole.write(0x81);
            whole.write(size);
        } else {
            whole.write(0x82);
            whole.write(size >> 8);
            whole.write(size);
        }
        whole.writeBytes(content.toByteArray());
        return whole.toByteArray();
    }

    private static void write(Path path, String text) {
        try {
            Files.writeString(path, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
