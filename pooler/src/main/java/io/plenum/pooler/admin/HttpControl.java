package io.plenum.pooler.admin;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.plenum.pooler.metrics.HttpServer;
import io.plenum.wire.error.ErrorResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PAUSE and RESUME by HTTP, for hooks and operators that speak no SQL: {@code POST /pause?database=app&for=10} answers when
 * nothing runs on the primary any more, {@code POST /resume?database=app} ends that. Without a database all are meant.
 *
 * <p>A pause by HTTP always ends by itself, after {@value #LONGEST_UNLESS_SAID} s unless it says otherwise: a hook that dies
 * must not leave everybody waiting.
 */
public final class HttpControl implements HttpServer.Actions {
    private static final Logger LOG = LoggerFactory.getLogger(HttpControl.class);
    private static final String LONGEST_UNLESS_SAID = "30";
    private static final String SCHEME = "Bearer ";

    /** Whoever asked is not asked again: a pause that nobody waits for ends by its time. */
    private static final Console.Patience PATIENT = new Console.Patience() {
        @Override
        public boolean isCanceled() {
            return false;
        }

        @Override
        public boolean isGone() {
            return false;
        }
    };

    private final Console console;
    private final Supplier<String> token;

    /** {@code token} is what a caller must bring; empty lets nobody. */
    public HttpControl(Console console, Supplier<String> token) {
        this.console = console;
        this.token = token;
    }

    @Override
    public @Nullable CompletionStage<HttpServer.Page> post(HttpServer.Request request) {
        Verb verb = switch (request.path()) {
            case "/pause" -> Verb.PAUSE;
            case "/resume" -> Verb.RESUME;
            default -> null;
        };
        if (verb == null) {
            return null;
        }
        String expected = token.get();
        if (expected.isEmpty()) {
            return now(HttpResponseStatus.FORBIDDEN, "http_control_token is not set, so nobody may do this");
        }
        if (!isSame(SCHEME + expected, request.authorization())) {
            return now(
                    HttpResponseStatus.UNAUTHORIZED, "the header is to be: Authorization: Bearer <http_control_token>");
        }
        String database = request.parameter("database", "");
        String longest = verb == Verb.PAUSE ? request.parameter("for", LONGEST_UNLESS_SAID) : "";
        if (!longest.isEmpty() && !longest.matches("[1-9][0-9]{0,5}")) {
            return now(HttpResponseStatus.BAD_REQUEST, "for is a number of seconds");
        }
        LOG.info("event=http_control command={} database={} for_s={}", verb, database, longest);
        return console.runOnDatabase(new Command(verb, null, database, longest), PATIENT)
                .thenApply(HttpControl::page);
    }

    private static HttpServer.Page page(Answer answer) {
        return switch (answer) {
            case Answer.Refused(ErrorResponse error) ->
                HttpServer.Page.text(HttpResponseStatus.CONFLICT, error.message());
            default -> HttpServer.Page.text(HttpResponseStatus.OK, "done");
        };
    }

    private static CompletionStage<HttpServer.Page> now(HttpResponseStatus status, String text) {
        return CompletableFuture.completedStage(HttpServer.Page.text(status, text));
    }

    /** In a time that does not tell where they differ. */
    private static boolean isSame(String expected, String given) {
        return MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }
}
