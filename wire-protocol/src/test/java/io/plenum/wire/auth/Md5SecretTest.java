package io.plenum.wire.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.plenum.wire.backend.Authentication;
import io.plenum.wire.frontend.PasswordMessage;
import io.plenum.wire.recording.Recording;
import io.plenum.wire.recording.Recording.Message;
import io.plenum.wire.recording.Recording.Sender;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class Md5SecretTest {
    /** rolpassword of a PostgreSQL 18, for the user plenum_md5 and the password "correct horse". */
    private static final String STORED = "md5e90394c35dc809386d131380053f7039";

    @Test
    void secretIsTheOneThatPostgresStores() {
        assertThat(Md5Secret.parse(STORED)).isEqualTo(Md5Secret.of("plenum_md5", "correct horse"));
    }

    @Test
    void responseIsTheOneOfTheRecordedLogins() {
        for (int version : new int[] {15, 17, 18}) {
            Recording login = Recording.ofServer(version).stream()
                    .filter(recording -> recording.name().endsWith("login-md5.hex"))
                    .findFirst()
                    .orElseThrow();
            Message request = login.from(Sender.BACKEND).getFirst();
            byte[] salt = ((Authentication.Md5Password)
                            Authentication.parse(Unpooled.wrappedBuffer(request.bytes()), 5, request.bytes().length))
                    .salt();
            Message response = login.from(Sender.FRONTEND).get(1);
            byte[] recorded =
                    PasswordMessage.parse(Unpooled.wrappedBuffer(response.bytes()), 5, response.bytes().length);
            Md5Secret secret = Objects.requireNonNull(Md5Secret.parse(STORED));

            assertThat(secret.response(salt)).isEqualTo(recorded);
            assertThat(secret.verify(recorded, salt)).isTrue();
            recorded[20] ^= 1;
            assertThat(secret.verify(recorded, salt)).isFalse();
            assertThat(secret.verify(new byte[0], salt)).isFalse();
        }
    }

    @Test
    void clearPasswordIsCheckedWithTheUser() {
        Md5Secret secret = Md5Secret.of("app", "secret");

        assertThat(secret.isOf("app", "secret".getBytes(StandardCharsets.UTF_8)))
                .isTrue();
        assertThat(secret.isOf("app", "Secret".getBytes(StandardCharsets.UTF_8)))
                .isFalse();
        assertThat(secret.isOf("other", "secret".getBytes(StandardCharsets.UTF_8)))
                .isFalse();
    }

    @Test
    void otherTextsAreNoSecret() {
        for (String text : List.of(
                "",
                "md5",
                STORED.substring(1),
                STORED + "0",
                STORED.toUpperCase(Locale.ROOT),
                STORED.substring(0, 34) + "g",
                "MD5" + STORED.substring(3))) {
            assertThat(Md5Secret.parse(text)).as(text).isNull();
        }
    }

    @Test
    void secretIsNeverPrinted() {
        assertThat(Md5Secret.of("app", "secret")).hasToString("Md5Secret[hidden]");
    }
}
