package io.plenum.wire.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.auth.ScramServer.Accepted;
import io.plenum.wire.auth.ScramServer.Refused;
import io.plenum.wire.backend.Authentication;
import io.plenum.wire.frontend.PasswordMessage;
import io.plenum.wire.frontend.SaslInitialResponse;
import io.plenum.wire.recording.Recording;
import io.plenum.wire.recording.Recording.Message;
import io.plenum.wire.recording.Recording.Sender;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScramTest {
    private static final String PASSWORD = "correct horse";
    private static final byte[] SALT = "sixteen bytes of".getBytes(StandardCharsets.US_ASCII);
    private static final ScramSecret SECRET = ScramSecret.derive(PASSWORD, SALT, 10);

    private final SecureRandom random = new SecureRandom();

    @Test
    void exchangeOfRfc7677EndsWithItsSignature() {
        byte[] salt = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
        ScramServer server = new ScramServer(ScramSecret.derive("pencil", salt, 4096), random);
        server.onClientFirst(ascii("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
        String nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

        assertThat(text(server.serverFirst(nonce))).isEqualTo("r=" + nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        assertThat(server.onClientFinal(ascii("c=biws,r=" + nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")))
                .isInstanceOfSatisfying(
                        Accepted.class,
                        accepted -> assertThat(text(accepted.serverFinal()))
                                .isEqualTo("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    @ParameterizedTest
    @ValueSource(ints = {15, 17, 18})
    void recordedLoginIsRepeatedByteForByteOnBothSides(int version) {
        Recording login = recording(version, "login-scram");
        List<Message> responses = login.from(Sender.FRONTEND).stream()
                .filter(message -> message.label().equals("PasswordMessage"))
                .toList();
        SaslInitialResponse initial = SaslInitialResponse.parse(
                Unpooled.wrappedBuffer(responses.get(0).bytes()),
                5,
                responses.get(0).bytes().length);
        byte[] clientFirst = Objects.requireNonNull(initial.data());
        byte[] clientFinal = PasswordMessage.parseSasl(
                Unpooled.wrappedBuffer(responses.get(1).bytes()),
                5,
                responses.get(1).bytes().length);
        List<Authentication> requests = login.from(Sender.BACKEND).stream()
                .filter(message -> message.type() == 'R')
                .map(message ->
                        Authentication.parse(Unpooled.wrappedBuffer(message.bytes()), 5, message.bytes().length))
                .toList();
        byte[] serverFirst = ((Authentication.SaslContinue) requests.get(1)).data();
        byte[] serverFinal = ((Authentication.SaslFinal) requests.get(2)).data();
        String clientNonce = text(clientFirst).substring(text(clientFirst).indexOf("r=") + 2);
        String wholeNonce = text(serverFirst).substring(2, text(serverFirst).indexOf(','));
        String salt = text(serverFirst)
                .substring(
                        text(serverFirst).indexOf("s=") + 2, text(serverFirst).indexOf(",i="));

        ScramClient client = ScramClient.withPassword(PASSWORD, new FixedRandom(clientNonce));
        assertThat(text(client.clientFirst())).isEqualTo(text(clientFirst));
        assertThat(text(client.onServerFirst(serverFirst))).isEqualTo(text(clientFinal));
        client.onServerFinal(serverFinal);

        ScramSecret secret = ScramSecret.derive(PASSWORD, Base64.getDecoder().decode(salt), 4096);
        ScramServer server = new ScramServer(secret, new FixedRandom(wholeNonce.substring(clientNonce.length())));
        assertThat(text(server.onClientFirst(clientFirst))).isEqualTo(text(serverFirst));
        assertThat(server.onClientFinal(clientFinal))
                .isInstanceOfSatisfying(
                        Accepted.class,
                        accepted -> assertThat(text(accepted.serverFinal())).isEqualTo(text(serverFinal)));
    }

    private static final byte[] END_POINT = "thirty-two bytes of a hash value".getBytes(StandardCharsets.US_ASCII);

    @Test
    void exchangeIsBoundToTheCertificateThatBothSidesSee() {
        assertThat(boundExchange(END_POINT, new ScramClient.Binding(END_POINT, true)))
                .isInstanceOf(Accepted.class);
        byte[] other = END_POINT.clone();
        other[7]++;
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> boundExchange(END_POINT, new ScramClient.Binding(other, true)))
                .withMessage("SCRAM channel binding check failed");
    }

    @Test
    void clientThatCouldBindSaysSoAndNoticesACutOffer() {
        // somebody took -PLUS out of the offer: the client says 'y', and a server that offered it knows
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> boundExchange(END_POINT, new ScramClient.Binding(END_POINT, false)))
                .withMessageContaining("channel binding negotiation error");
        assertThat(boundExchange(null, new ScramClient.Binding(END_POINT, false)))
                .isInstanceOf(Accepted.class);
        assertThat(boundExchange(END_POINT, ScramClient.Binding.NONE)).isInstanceOf(Accepted.class);
    }

    private ScramServer.Result boundExchange(byte @Nullable [] endPoint, ScramClient.Binding binding) {
        ScramServer server = new ScramServer(SECRET, random, endPoint);
        ScramClient client = ScramClient.withPassword(PASSWORD, random, binding);
        byte[] first = server.onClientFirst(client.mechanism(), client.clientFirst());
        return server.onClientFinal(client.onServerFirst(first));
    }

    @Test
    void mechanismAndBindingFlagMustFit() {
        for (String[] wrong : List.of(
                new String[] {ScramServer.MECHANISM_PLUS, "n,,n=,r=abc", "does not include channel binding data"},
                new String[] {ScramServer.MECHANISM_PLUS, "y,,n=,r=abc", "does not include channel binding data"},
                new String[] {ScramServer.MECHANISM, "p=tls-server-end-point,,n=,r=abc", "without channel binding"},
                new String[] {ScramServer.MECHANISM_PLUS, "p=tls-unique,,n=,r=abc", "unsupported SCRAM channel-binding"
                },
                new String[] {"SCRAM-SHA-1", "n,,n=,r=abc", "invalid SASL authentication mechanism"})) {
            assertThatExceptionOfType(ProtocolException.class)
                    .isThrownBy(
                            () -> new ScramServer(SECRET, random, END_POINT).onClientFirst(wrong[0], ascii(wrong[1])))
                    .withMessageContaining(wrong[2]);
        }
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new ScramServer(SECRET, random)
                        .onClientFirst(ScramServer.MECHANISM_PLUS, ascii("p=tls-server-end-point,,n=,r=abc")));
        assertThat(new ScramServer(SECRET, random).mechanisms()).containsExactly("SCRAM-SHA-256");
        assertThat(new ScramServer(SECRET, random, END_POINT).mechanisms())
                .containsExactly("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "correct horse",
                "p\u00e4ss\u00a0w\u00f6rt",
                "\u2168",
                "\ud83d\ude00",
                "a\u0007b",
                "I\u00adX"
            })
    void clientAndServerAgreeOnAnyPassword(String password) {
        ScramSecret secret = ScramSecret.derive(password, SALT, 3);

        assertThat(exchange(secret, ScramClient.withPassword(password, random))).isTrue();
        assertThat(exchange(secret, ScramClient.withPassword(password + "!", random)))
                .isFalse();
        assertThat(secret.isOf(password)).isTrue();
        assertThat(secret.isOf(password + "!")).isFalse();
        assertThat(secret.isOf("")).isFalse();
        assertThat(secret.isOf(password.getBytes(StandardCharsets.UTF_8))).isTrue();
        assertThat(secret.isOf(new byte[] {(byte) 0xff})).isFalse();
    }

    @Test
    void passwordsOfEveryLengthThatAMessageHoldsWork() {
        for (int length : new int[] {1, 996, 1024, 4096, 65_530}) {
            String password = "p".repeat(length);

            assertThat(exchange(ScramSecret.derive(password, SALT, 2), ScramClient.withPassword(password, random)))
                    .isTrue();
        }
    }

    @Test
    void keysThatALoginShowedLogInElsewhere() {
        ScramServer server = new ScramServer(SECRET, random);
        ScramClient client = ScramClient.withPassword(PASSWORD, random);
        byte[] clientFinal = client.onServerFirst(server.onClientFirst(client.clientFirst()));
        Accepted accepted = (Accepted) server.onClientFinal(clientFinal);

        assertThat(exchange(SECRET, ScramClient.withKeys(accepted.clientKey(), SECRET.serverKey(), random)))
                .isTrue();
        ScramSecret changed = ScramSecret.derive("other", SALT, 10);
        assertThat(exchange(changed, ScramClient.withKeys(accepted.clientKey(), SECRET.serverKey(), random)))
                .isFalse();
        assertThat(accepted.toString()).isEqualTo("Accepted[hidden]");
    }

    @Test
    void emptyAndForeignUserNamesAreIgnored() {
        for (String first : List.of("n,,n=,r=abc", "n,,n=postgres,r=abc", "y,,n=*,r=abc", "n,,n=,r=abc,x=later")) {
            assertThat(text(new ScramServer(SECRET, random).onClientFirst(ascii(first))))
                    .startsWith("r=abc");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "n",
                "n,",
                "n,,",
                "n,,n=",
                "n,,n=,",
                "n,,n=,r",
                "n,,n=,r=",
                "n,,r=abc",
                "n,n=,r=abc",
                "x,,n=,r=abc",
                "p=tls-server-end-point,,n=,r=abc",
                "n,a=other,n=,r=abc",
                "n,,m=must,n=,r=abc",
                "n,,n=,r=a b",
                "n,,n=,r=\u00e4",
                "n,,n=,r=abc,",
                "n,,n=,r=abc,1=x",
                "n,,n=,r=abc\u0000",
                ",,n=,r=abc",
                "n,,n=,r=abc,x"
            })
    void malformedFirstMessagesOfAClientAreRefused(String message) {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(
                        () -> new ScramServer(SECRET, random).onClientFirst(message.getBytes(StandardCharsets.UTF_8)))
                .satisfies(e -> assertThat(e.sqlState().code()).isIn("08P01", "0A000"));
    }

    @Test
    void lengthsOfAClientsMessagesAreBounded() {
        String longest = "n,,n=,r=" + "a".repeat(1024);
        assertThat(text(new ScramServer(SECRET, random).onClientFirst(ascii(longest))))
                .contains("a".repeat(1024));

        for (String tooLong : List.of(longest + "a", "n,,n=" + "u".repeat(5000) + ",r=abc")) {
            assertThatExceptionOfType(ProtocolException.class)
                    .isThrownBy(() -> new ScramServer(SECRET, random).onClientFirst(ascii(tooLong)));
        }
    }

    @Test
    void finalMessageMustBelongToTheFirst() {
        ScramServer server = new ScramServer(SECRET, random);
        ScramClient client = ScramClient.withPassword(PASSWORD, random);
        String right = text(client.onServerFirst(server.onClientFirst(client.clientFirst())));

        for (String wrong : List.of(
                right.replace("c=biws", "c=eSws"),
                right.replace("c=biws", "c=bixs"),
                right.replaceFirst("r=.", "r=!"),
                right.replaceFirst("r=[^,]*", "r="),
                right + ",x=y",
                right + ",",
                right.substring(0, right.length() - 4),
                right.replaceFirst("p=.*", "p=AAAA"),
                right.replaceFirst(",p=.*", ""),
                right.replaceFirst("p=.*", "p="),
                right.replaceFirst("p=", "p=*"),
                right + "\u0000")) {
            ScramServer again = new ScramServer(SECRET, random);
            again.onClientFirst(client(right));
            again.serverFirst(nonce(right));
            assertThatExceptionOfType(ProtocolException.class)
                    .as(wrong)
                    .isThrownBy(() -> again.onClientFinal(wrong.getBytes(StandardCharsets.UTF_8)));
        }
        assertThat(server.onClientFinal(ascii(right))).isInstanceOf(Accepted.class);
    }

    @Test
    void everyChangedBitOfAProofIsRefused() {
        for (int bit = 0; bit < 256; bit++) {
            ScramServer server = new ScramServer(SECRET, random);
            ScramClient client = ScramClient.withPassword(PASSWORD, random);
            String right = text(client.onServerFirst(server.onClientFirst(client.clientFirst())));
            byte[] proof = Base64.getDecoder().decode(right.substring(right.indexOf(",p=") + 3));
            proof[bit / 8] ^= (byte) (1 << bit % 8);
            String wrong = right.substring(0, right.indexOf(",p=") + 3)
                    + Base64.getEncoder().encodeToString(proof);

            assertThat(server.onClientFinal(ascii(wrong))).isEqualTo(new Refused());
        }
    }

    @Test
    void nobodyLogsInAsAUserThatDoesNotExist() {
        byte[] serverSecret = ascii("shared by all poolers");
        ScramSecret mock = ScramSecret.mock(serverSecret, "ghost");

        assertThat(mock.isMock()).isTrue();
        assertThat(mock).isEqualTo(ScramSecret.mock(serverSecret, "ghost"));
        assertThat(mock.salt())
                .hasSize(16)
                .isNotEqualTo(ScramSecret.mock(serverSecret, "gheist").salt());
        assertThat(mock.salt())
                .isNotEqualTo(ScramSecret.mock(ascii("another"), "ghost").salt());
        assertThat(exchange(mock, ScramClient.withPassword("guess", random))).isFalse();
        assertThat(mock.isOf("guess")).isFalse();
    }

    @Test
    void noncesAndMessagesOfTheServerAreNeverTheSameTwice() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            assertThat(seen.add(text(new ScramServer(SECRET, random).onClientFirst(ascii("n,,n=,r=abc")))))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "r=NONCEx,s=c2FsdA==,i=2147483647",
                "r=NONCEx,s=c2FsdA==,i=2147483648",
                "r=NONCEx,s=c2FsdA==,i=100001",
                "r=NONCEx,s=c2FsdA==,i=99999999999999999999"
            })
    void serverThatAsksForTooManyIterationsIsRefusedAtOnce(String message) {
        ScramClient client = ScramClient.withPassword(PASSWORD, random);
        String nonce = text(client.clientFirst()).substring("n,,n=*,r=".length());

        assertThat(Duration.ofNanos(nanosOf(() -> assertThatExceptionOfType(ProtocolException.class)
                        .isThrownBy(() -> client.onServerFirst(ascii(message.replace("NONCE", nonce)))))))
                .isLessThan(Duration.ofSeconds(5));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "r=",
                "r=NONCE",
                "r=NONCE,s=c2FsdA==,i=4096",
                "r=other,s=c2FsdA==,i=4096",
                "r=NONCEx",
                "r=NONCEx,s=c2FsdA==",
                "r=NONCEx,s=,i=4096",
                "r=NONCEx,s=c2FsdA=,i=4096",
                "r=NONCEx,s=!!!!,i=4096",
                "r=NONCEx,s=c2FsdA==,i=0",
                "r=NONCEx,s=c2FsdA==,i=-1",
                "r=NONCEx,s=c2FsdA==,i=",
                "r=NONCEx,s=c2FsdA==,i=4k",
                "r=NONCEx,s=c2FsdA==,i= 4096",
                "r=NONCEx,s=c2FsdA==,i=4096,",
                "e=other-error",
                "s=c2FsdA==,r=NONCEx,i=4096",
                "m=must,r=NONCEx,s=c2FsdA==,i=4096",
                "r=NONCE\u00e4,s=c2FsdA==,i=4096",
                "r=NONCE\u0000,s=c2FsdA==,i=4096"
            })
    void malformedFirstMessagesOfAServerAreRefused(String message) {
        ScramClient client = ScramClient.withPassword(PASSWORD, random);
        String nonce = text(client.clientFirst()).substring("n,,n=*,r=".length());

        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() ->
                        client.onServerFirst(message.replace("NONCE", nonce).getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void lengthsOfAServersMessagesAreBounded() {
        for (String tooLong : List.of(
                "r=NONCE" + "x".repeat(1024) + ",s=c2FsdA==,i=4096",
                "r=NONCEx,s=" + "c2FsdA".repeat(1000) + "==,i=4096",
                "r=NONCEx,s=c2FsdA==,i=4096,x=" + "y".repeat(4096))) {
            ScramClient client = ScramClient.withPassword(PASSWORD, random);
            String nonce = text(client.clientFirst()).substring("n,,n=*,r=".length());

            assertThatExceptionOfType(ProtocolException.class)
                    .isThrownBy(() -> client.onServerFirst(ascii(tooLong.replace("NONCE", nonce))));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
                "v=",
                "",
                "e=other-error",
                "v=!!!!",
                "x",
                "\u0000"
            })
    void serverThatCannotProveItselfIsRefused(String message) {
        ScramServer server = new ScramServer(SECRET, random);
        ScramClient client = ScramClient.withPassword(PASSWORD, random);
        client.onServerFirst(server.onClientFirst(client.clientFirst()));

        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> client.onServerFinal(message.getBytes(StandardCharsets.UTF_8)))
                .satisfies(e -> assertThat(e.sqlState().code()).isEqualTo("28000"));
    }

    @Test
    void anyBytesGiveAnAnswerOrOneProtocolException() {
        Random damage = new Random(5802);
        for (int round = 0; round < 20_000; round++) {
            ScramServer server = new ScramServer(SECRET, random);
            ScramClient client = ScramClient.withKeys(new byte[32], SECRET.serverKey(), random);
            try {
                byte[] first = server.onClientFirst(damaged(client.clientFirst(), damage, round % 4 == 0));
                byte[] last = client.onServerFirst(damaged(first, damage, round % 4 == 1));
                server.onClientFinal(damaged(last, damage, round % 4 == 2));
                client.onServerFinal(damaged(ascii("v=" + "A".repeat(43) + "="), damage, true));
            } catch (ProtocolException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void methodsOutOfOrderAreABugOfOurs() {
        ScramServer server = new ScramServer(SECRET, random);
        assertThatIllegalStateException().isThrownBy(() -> server.onClientFinal(ascii("c=biws,r=a,p=b")));
        server.onClientFirst(ascii("n,,n=,r=abc"));
        assertThatIllegalStateException().isThrownBy(() -> server.onClientFirst(ascii("n,,n=,r=abc")));
    }

    @Test
    void secretIsReadAndWrittenAsPostgresStoresIt() {
        // select rolpassword from pg_authid, of a PostgreSQL 18, for the password "correct horse"
        String stored = "SCRAM-SHA-256$4096:TrclLOaB6toAJ0diADnS7g=="
                + "$v9sK0v56eJiOMt1MHvo9hfgr55SgIlxAE3Vr3fJGJS4=:+Cw6AK2JY3WeECKamLubYP1Yh7vJdpPjQxTARzsYkBA=";
        ScramSecret secret = Objects.requireNonNull(ScramSecret.parse(stored));

        assertThat(secret.encoded()).isEqualTo(stored);
        assertThat(secret.iterations()).isEqualTo(4096);
        assertThat(secret.isOf(PASSWORD)).isTrue();
        assertThat(secret).isEqualTo(ScramSecret.derive(PASSWORD, secret.salt(), 4096));
        assertThat(secret.toString()).isEqualTo("ScramSecret[hidden]");
    }

    @Test
    void damagedSecretsAreNone() {
        String stored = SECRET.encoded();
        for (String damaged : List.of(
                "",
                "SCRAM-SHA-256$",
                "SCRAM-SHA-1" + stored.substring(13),
                stored.substring(1),
                stored + "=",
                stored + ":",
                stored.replace("$10:", "$0:"),
                stored.replace("$10:", "$-1:"),
                stored.replace("$10:", "$:"),
                stored.replace("$10:", "$2147483648:"),
                stored.replaceFirst(":", "\\$"),
                stored.substring(0, stored.length() - 4),
                stored.replaceFirst("10:[^$]*", "10:"),
                stored + "A".repeat(2000))) {
            assertThat(ScramSecret.parse(damaged)).as(damaged).isNull();
        }
    }

    @Test
    void secretsOfNothingAreNotMade() {
        assertThatIllegalArgumentException().isThrownBy(() -> ScramSecret.derive("", SALT, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> ScramSecret.derive("x", new byte[0], 1));
        assertThatIllegalArgumentException().isThrownBy(() -> ScramSecret.derive("x", SALT, 0));
    }

    private boolean exchange(ScramSecret secret, ScramClient client) {
        ScramServer server = new ScramServer(secret, random);
        byte[] clientFinal = client.onServerFirst(server.onClientFirst(client.clientFirst()));
        return switch (server.onClientFinal(clientFinal)) {
            case Accepted accepted -> {
                client.onServerFinal(accepted.serverFinal());
                yield true;
            }
            case Refused _ -> false;
        };
    }

    private static byte[] damaged(byte[] message, Random random, boolean wanted) {
        byte[] copy = message.clone();
        for (int i = wanted ? random.nextInt(3) : -1; i >= 0; i--) {
            copy[random.nextInt(copy.length)] = (byte) random.nextInt();
        }
        return copy;
    }

    private static byte[] client(String clientFinal) {
        return ascii("n,,n=*,r=" + nonce(clientFinal));
    }

    private static String nonce(String clientFinal) {
        return clientFinal.substring(clientFinal.indexOf("r=") + 2, clientFinal.indexOf(",p="));
    }

    private static long nanosOf(Runnable action) {
        long start = System.nanoTime();
        action.run();
        return System.nanoTime() - start;
    }

    private static Recording recording(int version, String name) {
        return Recording.ofServer(version).stream()
                .filter(recording -> recording.name().endsWith("/" + name + ".hex"))
                .findFirst()
                .orElseThrow();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(byte[] ascii) {
        return new String(ascii, StandardCharsets.US_ASCII);
    }
}
