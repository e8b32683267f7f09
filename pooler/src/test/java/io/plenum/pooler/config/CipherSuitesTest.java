package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CipherSuitesTest {
    private static final String ECDSA_256 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    private static final String RSA_128 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    private static final String CHACHA = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
    private static final String DHE = "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256";
    private static final String STATIC = "TLS_RSA_WITH_AES_128_CBC_SHA";
    private static final String TRIPLE = "TLS_RSA_WITH_3DES_EDE_CBC_SHA";
    private static final String ANONYMOUS = "TLS_DH_anon_WITH_AES_128_CBC_SHA";
    private static final String NEWEST = "TLS_AES_256_GCM_SHA384";
    private static final List<String> KNOWN =
            List.of(NEWEST, ECDSA_256, RSA_128, CHACHA, DHE, STATIC, TRIPLE, ANONYMOUS);

    private final CipherSuites suites = new CipherSuites(KNOWN);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HIGH:!aNULL | " + ECDSA_256 + " " + RSA_128 + " " + CHACHA + " " + DHE + " " + STATIC,
                "secure | " + ECDSA_256 + " " + RSA_128 + " " + CHACHA + " " + DHE,
                "EECDH+AESGCM | " + ECDSA_256 + " " + RSA_128,
                "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384 | " + RSA_128 + " " + ECDSA_256,
                RSA_128 + " | " + RSA_128,
                "HIGH:!SHA:!DHE:!CHACHA20 | " + ECDSA_256 + " " + RSA_128,
                "!kRSA:HIGH:!aNULL:-DHE | " + ECDSA_256 + " " + RSA_128 + " " + CHACHA,
                "ECDHE:+AESGCM | " + CHACHA + " " + ECDSA_256 + " " + RSA_128,
                "ECDHE-RSA-CHACHA20-POLY1305 AES128-SHA DES-CBC3-SHA | " + CHACHA + " " + STATIC + " " + TRIPLE,
                "HIGH:NO-SUCH-THING:!aNULL:!RSA:@STRENGTH | " + ECDSA_256 + " " + RSA_128 + " " + CHACHA + " " + DHE,
            })
    void opensslsLanguageIsUnderstood(String setting, String chosen) {
        assertThat(suites.choose(setting)).containsExactly(chosen.split(" "));
    }

    @Test
    void suitesOfTheNewestVersionAreChosenByNameAlone() {
        assertThat(suites.chooseNewest("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"))
                .containsExactly(NEWEST);
        assertThat(suites.chooseNewest(RSA_128)).isEmpty();
        assertThat(suites.choose(NEWEST)).isEmpty();
    }

    @Test
    void suitesAreShownByOpensslsNames() {
        assertThat(KNOWN.stream().map(CipherSuites::openSslName))
                .containsExactly(
                        "TLS_AES_256_GCM_SHA384",
                        "ECDHE-ECDSA-AES256-GCM-SHA384",
                        "ECDHE-RSA-AES128-GCM-SHA256",
                        "ECDHE-RSA-CHACHA20-POLY1305",
                        "DHE-RSA-AES256-SHA256",
                        "AES128-SHA",
                        "DES-CBC3-SHA",
                        "ADH-AES128-SHA");
    }
}
