package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.Authority;
import io.plenum.pooler.Authority.Issued;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TlsReaderTest {
    @TempDir
    private Path directory;

    private Authority authority;
    private Issued own;

    @BeforeEach
    void makeCertificates() {
        authority = new Authority("authority", directory);
        own = authority.issue("own", "localhost");
    }

    private PoolerConfig config(Path key, Path certificate, String... more) {
        return PoolerConfig.parse("""
            [pgbouncer]
            client_tls_sslmode = require
            client_tls_key_file = %s
            client_tls_cert_file = %s
            %s
            """.formatted(key, certificate, String.join("\n", more)), directory);
    }

    @Test
    void filesAreReadWithTheSettingsAndFoundBesideTheFileThatNamesThem() {
        PoolerConfig config = config(own.key().getFileName(), own.certificate().getFileName());

        assertThat(config.clientTls().chain()).containsExactly(own.x509());
        assertThat(config.clientTls().key()).isEqualTo(own.privateKey());
        assertThat(config.clientTls().toString()).doesNotContain("Key");
    }

    @Test
    void contentOfAFileIsPartOfWhatIsCompared() throws Exception {
        TlsConfig first = config(own.key(), own.certificate()).clientTls();
        assertThat(config(own.key(), own.certificate()).clientTls().isSame(first))
                .isTrue();

        Files.writeString(own.certificate(), own.certificateText() + authority.text());

        assertThat(config(own.key(), own.certificate()).clientTls().isSame(first))
                .isFalse();
    }

    @Test
    void keyOfAnotherCertificateIsRefused() {
        Issued other = authority.issue("other");
        Issued rsa = authority.issueRsa("rsa");

        for (Issued wrong : List.of(other, rsa)) {
            assertThatThrownBy(() -> config(wrong.key(), own.certificate()))
                    .hasMessageContaining("is not the key of the certificate in");
        }
    }

    @Test
    void whatDoesNotStandInAFileIsSaid() throws Exception {
        assertThatThrownBy(() -> config(own.certificate(), own.certificate()))
                .hasMessageContaining("client_tls_key_file")
                .hasMessageContaining("has no private key in PEM");
        assertThatThrownBy(() -> config(own.key(), own.key()))
                .hasMessageContaining("client_tls_cert_file")
                .hasMessageContaining("has no certificate in PEM");
        Path encrypted = directory.resolve("encrypted.key");
        Files.writeString(encrypted, Authority.pem("ENCRYPTED PRIVATE KEY", new byte[] {1, 2, 3}));
        assertThatThrownBy(() -> config(encrypted, own.certificate()))
                .hasMessageContaining("is encrypted; allowed: a key without a password");
        assertThatThrownBy(() -> config(own.key(), own.certificate(), "client_tls_sslmode = verify-ca"))
                .hasMessageContaining("client_tls_sslmode = verify-ca needs client_tls_ca_file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "client_tls_ciphers = NO-SUCH-THING | client_tls_ciphers",
                "client_tls_ciphers = HIGH:!ALL | client_tls_ciphers",
                "server_tls_ciphers = TLS_AES_128_GCM_SHA256 | server_tls_ciphers",
                "server_tls_ciphers = x; DROP | server_tls_ciphers",
                "client_tls13_ciphers = ECDHE-RSA-AES128-GCM-SHA256 | client_tls13_ciphers",
                "server_tls13_ciphers = garbage | server_tls13_ciphers",
            })
    void listThatLeavesNoCipherIsAFault(String line, String setting) {
        assertThatThrownBy(() -> config(own.key(), own.certificate(), line))
                .hasMessageContaining(setting + " = ")
                .hasMessageContaining("chooses no cipher that there is");
    }

    @ParameterizedTest
    @ValueSource(strings = {"garbage", "secp256r1:secp255r1", "TLS_AES_128_GCM_SHA256"})
    void curveThatThereIsNotIsAFault(String curves) {
        assertThatThrownBy(() -> config(own.key(), own.certificate(), "client_tls_ecdhcurve = " + curves))
                .hasMessageContaining("client_tls_ecdhcurve = ")
                .hasMessageContaining("is no curve");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "client_tls_ecdhcurve = X25519:P-256",
                "client_tls_ciphers = fast",
                "client_tls_ciphers = NO-SUCH-THING:ECDHE-RSA-AES128-GCM-SHA256",
                "server_tls_ciphers = DHE-RSA-AES256-SHA256",
                "server_tls_ciphers = HIGH:MEDIUM:+3DES:!aNULL",
                "server_tls13_ciphers = TLS_AES_128_GCM_SHA256:garbage",
            })
    void listThatLeavesOneIsTaken(String line) {
        assertThat(config(own.key(), own.certificate(), line).clientTls().isOn())
                .isTrue();
    }

    @Test
    void keyIsReadInEveryFrame() throws Exception {
        Issued rsa = authority.issueRsa("rsa");
        byte[] sec1 = Authority.innerKey(own.privateKey());
        byte[] curve = {0x06, 0x08, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x03, 0x01, 0x07};

        assertThat(PemFile.privateKey(rsa.keyText())).isEqualTo(rsa.privateKey());
        assertThat(PemFile.privateKey(
                        "text in front\n" + Authority.pem("RSA PRIVATE KEY", Authority.innerKey(rsa.privateKey()))))
                .isEqualTo(rsa.privateKey());
        assertThat(PemFile.privateKey(Authority.pem("EC PARAMETERS", curve) + Authority.pem("EC PRIVATE KEY", sec1)))
                .isEqualTo(own.privateKey());
    }

    /** The key of RFC 8410's example of EdDSA and an EC key as {@code openssl ecparam -genkey} writes it, curve inside. */
    @Test
    void keysThatOthersWroteAreRead() throws Exception {
        assertThat(PemFile.privateKey("""
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
            -----END PRIVATE KEY-----
            """).getAlgorithm()).isEqualTo("EdDSA");
        assertThat(PemFile.privateKey("""
            -----BEGIN EC PRIVATE KEY-----
            MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49
            AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q
            EKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==
            -----END EC PRIVATE KEY-----
            """).getAlgorithm()).isEqualTo("EC");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-----BEGIN PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
                "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
                "-----BEGIN EC PRIVATE KEY-----\n\n-----END EC PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----"
            })
    void damagedKeysAreNone(String text) {
        assertThatThrownBy(() -> PemFile.privateKey(text)).isInstanceOf(GeneralSecurityException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "secure | TLSv1.2 TLSv1.3",
                "default | TLSv1.2 TLSv1.3",
                "all | TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
                "tlsv1.0 | TLSv1",
                "TLSv1.3 | TLSv1.3",
                "tlsv1.2,tlsv1.3 | TLSv1.2 TLSv1.3",
                "!tlsv1.0:!tlsv1.1 | TLSv1.2 TLSv1.3",
                "all,!tlsv1.3 | TLSv1 TLSv1.1 TLSv1.2",
            })
    void versionsAreThoseOfLibtlsWords(String setting, String versions) {
        assertThat(TlsProtocols.parse(setting)).containsExactly(versions.split(" "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "sslv3", "tlsv1.2,", "secure,!tlsv1.2,!tlsv1.3"})
    void wordsThatLeaveNoVersionAreRefused(String setting) {
        assertThat(TlsProtocols.parse(setting)).isNull();
    }
}
