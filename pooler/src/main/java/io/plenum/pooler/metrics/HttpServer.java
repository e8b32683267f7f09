package io.plenum.pooler.metrics;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.plenum.pooler.net.Loop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small HTTP server: GET and HEAD of pages, POST of a few {@link Actions}, no bodies, one request at a time on a
 * connection.
 *
 * <p>Bounded: {@value #MOST_CONNECTIONS} connections, {@value #MAX_LINE} bytes of request line, {@value #MAX_HEADERS} of
 * headers, {@value #IDLE_SECONDS} seconds of silence. Runs on one loop, whose thread owns all of it.
 */
public final class HttpServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);

    static final int MOST_CONNECTIONS = 64;

    private static final int MAX_LINE = 4096;
    private static final int MAX_HEADERS = 8192;
    private static final int IDLE_SECONDS = 30;

    /** What may be done by POST, with its parameters in the query. */
    public interface Actions {
        /** Does it, if there is such a thing; null when there is none. Called on the loop; completes on any thread. */
        @Nullable
        CompletionStage<Page> post(Request request);
    }

    /**
     * One POST.
     *
     * @param authorization the header of that name; empty without
     */
    public record Request(String path, Map<String, List<String>> parameters, String authorization) {
        /** The first value of that name, or {@code otherwise}. */
        public String parameter(String name, String otherwise) {
            return parameters.getOrDefault(name, List.of(otherwise)).getFirst();
        }
    }

    /** One answer. Immutable. */
    public record Page(HttpResponseStatus status, String contentType, String text) {
        static Page of(String contentType, String text) {
            return new Page(HttpResponseStatus.OK, contentType, text);
        }

        /** A line of plain text. */
        public static Page text(HttpResponseStatus status, String line) {
            return new Page(status, "text/plain; charset=utf-8", line + "\n");
        }

        static Page unavailable(String text) {
            return new Page(HttpResponseStatus.SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", text);
        }

        static Page refusal(HttpResponseStatus status) {
            return new Page(status, "text/plain; charset=utf-8", status.reasonPhrase() + "\n");
        }
    }

    private final Loop loop;
    private final Endpoints endpoints;
    private final Actions actions;
    private final List<Channel> listeners = new ArrayList<>();
    private int connections;

    private HttpServer(Loop loop, Endpoints endpoints, Actions actions) {
        this.loop = loop;
        this.endpoints = endpoints;
        this.actions = actions;
    }

    /**
     * Listens when this returns. Not to be called on the loop.
     *
     * @throws UncheckedIOException when an address cannot be had
     */
    public static HttpServer start(Loop loop, List<InetSocketAddress> addresses, Endpoints endpoints, Actions actions) {
        var server = new HttpServer(loop, endpoints, actions);
        for (InetSocketAddress address : addresses) {
            var bound = new ServerBootstrap()
                    .group(loop.executor())
                    .channel(loop.transport().listener())
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .childHandler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel channel) {
                            server.accept(channel);
                        }
                    })
                    .bind(address)
                    .awaitUninterruptibly();
            if (!bound.isSuccess()) {
                server.close();
                throw new UncheckedIOException("cannot listen on " + address, new IOException(bound.cause()));
            }
            server.listeners.add(bound.channel());
        }
        return server;
    }

    private void accept(SocketChannel channel) {
        if (connections >= MOST_CONNECTIONS) {
            var _ = channel.close();
            return;
        }
        connections++;
        var _ = channel.closeFuture().addListener(closed -> connections--);
        channel.pipeline()
                .addLast(new HttpServerCodec(MAX_LINE, MAX_HEADERS, MAX_LINE))
                .addLast(new IdleStateHandler(0, 0, IDLE_SECONDS))
                .addLast(new Talk());
    }

    /** Where it listens. */
    public List<InetSocketAddress> addresses() {
        return listeners.stream()
                .map(channel -> (InetSocketAddress) channel.localAddress())
                .toList();
    }

    /** Accepts no more; connections end with their loop. */
    @Override
    public void close() {
        for (Channel listener : listeners) {
            var _ = listener.close();
        }
    }

    /** One connection. */
    private final class Talk extends SimpleChannelInboundHandler<HttpObject> {
        private boolean answering;

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
            if (message instanceof HttpRequest request) {
                onRequest(context, request);
            } else if (!(message instanceof LastHttpContent last)
                    || last.content().isReadable()) {
                var _ = context.close(); // a body, which nothing here has a use for
            }
        }

        private void onRequest(ChannelHandlerContext context, HttpRequest request) {
            if (answering) {
                var _ = context.close(); // pipelined: allowed by the standard, done by nobody who reads these pages
                return;
            }
            answering = true;
            boolean head = request.method().equals(HttpMethod.HEAD);
            boolean keep = HttpUtil.isKeepAlive(request);
            if (request.decoderResult().isFailure()) {
                answer(context, Page.refusal(HttpResponseStatus.BAD_REQUEST), false, false);
                return;
            }
            boolean post = request.method().equals(HttpMethod.POST);
            if (!head && !post && !request.method().equals(HttpMethod.GET)) {
                answer(context, Page.refusal(HttpResponseStatus.METHOD_NOT_ALLOWED), false, false);
                return;
            }
            CompletionStage<Page> page = post ? actions.post(read(request)) : endpoints.page(path(request.uri()));
            if (page == null && post) {
                answer(context, Page.refusal(HttpResponseStatus.METHOD_NOT_ALLOWED), false, false);
                return;
            }
            if (page == null) {
                answer(context, Page.refusal(HttpResponseStatus.NOT_FOUND), head, keep);
                return;
            }
            var _ = page.whenComplete((ready, failure) -> loop.execute(() -> {
                if (ready == null) {
                    LOG.error("event=http_failure path={}", path(request.uri()), failure);
                }
                answer(context, ready == null ? Page.unavailable("no answer from an event loop\n") : ready, head, keep);
            }));
        }

        private void answer(ChannelHandlerContext context, Page page, boolean head, boolean keep) {
            answering = false;
            byte[] body = page.text().getBytes(StandardCharsets.UTF_8);
            ByteBuf content = head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body);
            FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, page.status(), content);
            response.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, page.contentType())
                    .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                    .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                    .set("X-Content-Type-Options", "nosniff")
                    .set(
                            HttpHeaderNames.CONTENT_SECURITY_POLICY,
                            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src"
                                    + " 'self'");
            if (page.status().equals(HttpResponseStatus.METHOD_NOT_ALLOWED)) {
                response.headers().set(HttpHeaderNames.ALLOW, "GET, HEAD");
            }
            HttpUtil.setKeepAlive(response, keep);
            var written = context.writeAndFlush(response);
            if (!keep) {
                var _ = written.addListener(ChannelFutureListener.CLOSE);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
            if (event instanceof IdleStateEvent) {
                if (!answering) { // a pause may take as long as it was told to
                    var _ = context.close();
                }
            } else {
                super.userEventTriggered(context, event);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, @Nullable Throwable cause) {
            var _ = context.close();
        }
    }

    private static Request read(HttpRequest request) {
        var query = new QueryStringDecoder(request.uri());
        String authorization = request.headers().get(HttpHeaderNames.AUTHORIZATION);
        return new Request(path(request.uri()), query.parameters(), authorization == null ? "" : authorization);
    }

    private static String path(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }
}
