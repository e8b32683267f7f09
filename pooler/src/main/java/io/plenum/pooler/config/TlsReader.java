package io.plenum.pooler.config;

import io.plenum.wire.AsciiCase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what the settings say of TLS with one side, and the files that they name. */
final class TlsReader {
    private static final int LARGEST_FILE = 4 * 1024 * 1024;

    /** What PgBouncer's sample writes in the place of no file. */
    private static final String SYSTEM_DEFAULT = "<system default>";

    private static final String NO_CIPHER = "chooses no cipher that there is; allowed: a list as of openssl-ciphers(1)";

    /** Those that both engines have, by Java's names. */
    private static final Set<String> CURVES = Set.of("secp256r1", "secp384r1", "secp521r1", "x25519");

    /** Where the values of settings come from. */
    interface Source {
        <T> T value(Setting<T> setting);
    }

    /** Who hears what is wrong, and with which setting. */
    interface Faults {
        void add(Setting<?> setting, String message);
    }

    private record Side(
            Setting<TlsMode> mode,
            Setting<String> key,
            Setting<String> certificate,
            Setting<String> authorities,
            Setting<String> protocols,
            Setting<String> ciphers,
            Setting<String> ciphers13) {}

    private static final Side CLIENTS = new Side(
            Settings.CLIENT_TLS_SSLMODE,
            Settings.CLIENT_TLS_KEY_FILE,
            Settings.CLIENT_TLS_CERT_FILE,
            Settings.CLIENT_TLS_CA_FILE,
            Settings.CLIENT_TLS_PROTOCOLS,
            Settings.CLIENT_TLS_CIPHERS,
            Settings.CLIENT_TLS13_CIPHERS);

    private static final Side SERVERS = new Side(
            Settings.SERVER_TLS_SSLMODE,
            Settings.SERVER_TLS_KEY_FILE,
            Settings.SERVER_TLS_CERT_FILE,
            Settings.SERVER_TLS_CA_FILE,
            Settings.SERVER_TLS_PROTOCOLS,
            Settings.SERVER_TLS_CIPHERS,
            Settings.SERVER_TLS13_CIPHERS);

    private final Side side;
    private final Path writtenIn;
    private final Source source;
    private final Faults faults;
    private final MessageDigest fingerprint = sha256();
    private boolean wrong;

    private TlsReader(Side side, Path writtenIn, Source source, Faults faults) {
        this.side = side;
        this.writtenIn = writtenIn;
        this.source = source;
        this.faults = faults;
    }

    /** TLS with clients; null when something is wrong, which {@code faults} has heard. */
    static @Nullable TlsConfig clients(Path writtenIn, Source source, Faults faults) {
        var reader = new TlsReader(CLIENTS, writtenIn, source, faults);
        TlsMode mode = source.value(Settings.CLIENT_TLS_SSLMODE);
        if (source.value(Settings.AUTH_TYPE) == AuthType.CERT && mode != TlsMode.VERIFY_FULL) {
            faults.add(Settings.AUTH_TYPE, "auth_type = cert needs client_tls_sslmode = verify-full");
            return null;
        }
        if (mode == TlsMode.DISABLE) {
            return TlsConfig.OFF;
        }
        if (source.value(Settings.CLIENT_TLS_KEY_FILE).isEmpty()
                || source.value(Settings.CLIENT_TLS_CERT_FILE).isEmpty()) {
            faults.add(
                    Settings.CLIENT_TLS_SSLMODE,
                    "client_tls_sslmode = " + mode.word() + " needs client_tls_key_file and client_tls_cert_file");
            return null;
        }
        if (mode.verifies() && source.value(Settings.CLIENT_TLS_CA_FILE).isEmpty()) {
            faults.add(
                    Settings.CLIENT_TLS_SSLMODE, "client_tls_sslmode = " + mode.word() + " needs client_tls_ca_file");
            return null;
        }
        List<String> curves = curves(source.value(Settings.CLIENT_TLS_ECDHCURVE));
        if (!CURVES.containsAll(curves)) {
            reader.add(
                    Settings.CLIENT_TLS_ECDHCURVE,
                    "is no curve; allowed: auto, or of secp256r1, secp384r1, secp521r1 and x25519 those wanted, with"
                            + " colons between");
        }
        return reader.read(mode, curves, TlsNegotiation.POSTGRES);
    }

    /** TLS with servers; null when something is wrong, which {@code faults} has heard. */
    static @Nullable TlsConfig servers(Path writtenIn, Source source, Faults faults) {
        TlsMode mode = source.value(Settings.SERVER_TLS_SSLMODE);
        TlsNegotiation negotiation = source.value(Settings.SERVER_TLS_SSLNEGOTIATION);
        if (negotiation == TlsNegotiation.DIRECT && !mode.isDemanded()) {
            // As libpq has it: nobody answers a handshake with "no", so there would be no plain text to go on in.
            faults.add(
                    Settings.SERVER_TLS_SSLNEGOTIATION,
                    "server_tls_sslnegotiation = direct needs a server_tls_sslmode of require, verify-ca or"
                            + " verify-full");
            return null;
        }
        return mode == TlsMode.DISABLE
                ? TlsConfig.OFF
                : new TlsReader(SERVERS, writtenIn, source, faults).read(mode, List.of(), negotiation);
    }

    private @Nullable TlsConfig read(TlsMode mode, List<String> curves, TlsNegotiation negotiation) {
        List<String> protocols = TlsProtocols.parse(source.value(side.protocols));
        if (protocols == null) {
            add(
                    side.protocols,
                    "allowed: secure, all, or of tlsv1.0, tlsv1.1, tlsv1.2, tlsv1.3 those wanted, with commas between");
        }
        List<X509Certificate> chain = certificates(side.certificate);
        PrivateKey key = key();
        if (!wrong && (key == null) != chain.isEmpty()) {
            Setting<String> missing = key == null ? side.key : side.certificate;
            faults.add(missing, missing.name() + " is not set, but the other of key and certificate is");
            wrong = true;
        }
        if (!wrong && key != null && !belongTogether(key, chain.getFirst())) {
            add(side.key, "is not the key of the certificate in " + source.value(side.certificate));
        }
        List<X509Certificate> authorities = certificates(side.authorities);
        checkCiphers();
        if (wrong || protocols == null) {
            return null;
        }
        String ciphers = source.value(side.ciphers);
        String ciphers13 = source.value(side.ciphers13);
        for (Object part : List.of(mode, protocols, ciphers, ciphers13, curves, negotiation)) {
            fingerprint.update((part + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return new TlsConfig(
                mode,
                protocols,
                ciphers,
                ciphers13,
                curves,
                negotiation,
                key,
                chain,
                authorities,
                HexFormat.of().formatHex(fingerprint.digest()));
    }

    /** As OpenSSL, which wants one to be left of all that is written, whatever the rest be. */
    private void checkCiphers() {
        String older = source.value(side.ciphers);
        if (!CipherSuites.isDefault(older)
                && CipherSuites.ofJava().choose(older).isEmpty()) {
            add(side.ciphers, NO_CIPHER);
        }
        String newest = source.value(side.ciphers13);
        if (!newest.isEmpty() && CipherSuites.ofJava().chooseNewest(newest).isEmpty()) {
            add(side.ciphers13, NO_CIPHER);
        }
    }

    private List<X509Certificate> certificates(Setting<String> setting) {
        String text = file(setting);
        if (text == null) {
            return List.of();
        }
        try {
            return List.copyOf(PemFile.certificates(text));
        } catch (GeneralSecurityException e) {
            add(setting, String.valueOf(e.getMessage()));
            return List.of();
        }
    }

    private @Nullable PrivateKey key() {
        String text = file(side.key);
        if (text == null) {
            return null;
        }
        try {
            return PemFile.privateKey(text);
        } catch (GeneralSecurityException e) {
            add(side.key, String.valueOf(e.getMessage()));
            return null;
        }
    }

    /** The content of the file that the setting names; null if it names none, or one that cannot be read. */
    private @Nullable String file(Setting<String> setting) {
        String name = source.value(setting);
        if (name.isEmpty() || name.equals(SYSTEM_DEFAULT)) {
            return null;
        }
        try {
            String text = TextFile.read(TextFile.locate(name, writtenIn), LARGEST_FILE);
            fingerprint.update((setting.name() + "\n" + text).getBytes(StandardCharsets.UTF_8));
            return text;
        } catch (IOException | InvalidPathException e) {
            add(setting, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private void add(Setting<String> setting, String what) {
        wrong = true;
        faults.add(setting, setting.name() + " = " + Findings.quote(source.value(setting)) + " " + what);
    }

    /** Whether what the key signs the certificate verifies. */
    private static boolean belongTogether(PrivateKey key, X509Certificate certificate) {
        String algorithm = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            case "EdDSA", "Ed25519", "Ed448" -> "EdDSA";
            default -> null;
        };
        if (algorithm == null) {
            return true; // not told apart here; the handshake would
        }
        try {
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(key);
            signer.update(new byte[32]);
            byte[] signature = signer.sign();
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(certificate.getPublicKey());
            verifier.update(new byte[32]);
            return verifier.verify(signature);
        } catch (GeneralSecurityException otherKind) {
            return false;
        }
    }

    /** Java's names of the curves that the setting lists by OpenSSL's. */
    private static List<String> curves(String text) {
        List<String> curves = new ArrayList<>();
        for (String part : text.split("[:,\\s]+", -1)) {
            String name = AsciiCase.lower(part);
            switch (name) {
                case "", "auto", "none" -> {}
                case "prime256v1", "p-256" -> curves.add("secp256r1");
                case "p-384" -> curves.add("secp384r1");
                case "p-521" -> curves.add("secp521r1");
                default -> curves.add(name);
            }
        }
        return List.copyOf(curves);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }
}
