package io.plenum.pooler.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a connection to a server that may have TLS: asks, shakes hands, and goes away; only then the next handler
 * hears that the connection is there, after the {@link TlsSession} if there is one. When it cannot be, the next handler hears
 * of a {@link TlsFailure}.
 *
 * <p>Manual, "Message Flow", SSL Session Encryption. Confined to its event loop.
 */
final class TlsDial extends ChannelInboundHandlerAdapter {
    /** The length, which counts itself, and protocol number 1234.5679. */
    private static final int REQUEST_LENGTH = 8;

    private static final int REQUEST = 1234 << 16 | 5679;

    private final ServerTls tls;
    private final String host;
    private final int port;
    private @Nullable KeyExchange keys;
    private boolean shaking;
    private boolean failed;

    TlsDial(ServerTls tls, String host, int port) {
        this.tls = tls;
        this.host = host;
        this.port = port;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (tls.isDirect()) {
            shake(context);
            return;
        }
        ByteBuf request = context.alloc().directBuffer(REQUEST_LENGTH);
        request.writeInt(REQUEST_LENGTH).writeInt(REQUEST);
        context.writeAndFlush(request, context.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (failed || !bytes.isReadable()) {
                return;
            }
            if (shaking) {
                fail(context, "the server spoke before the handshake was over");
                return;
            }
            byte answer = bytes.readByte();
            if (bytes.isReadable()) {
                // What stands behind the answer was not encrypted, and would be read as if it were.
                fail(context, "received unencrypted data after SSL response");
                return;
            }
            switch (answer) {
                case 'S' -> shake(context);
                case 'N' -> {
                    if (tls.isDemanded()) {
                        fail(context, "server refused SSL");
                    } else {
                        goOn(context);
                    }
                }
                // An ErrorResponse may be here, of anybody who can write to the wire: it is not shown.
                default -> fail(context, "bad sslreq answer");
            }
        } finally {
            bytes.release();
        }
    }

    private void shake(ChannelHandlerContext context) {
        shaking = true;
        SslHandler handler = tls.newHandler(context.alloc(), host, port);
        context.pipeline().addBefore(context.name(), null, handler);
        keys = KeyExchange.watch(context.channel(), handler, false);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
        if (!(event instanceof SslHandshakeCompletionEvent shaken)) {
            super.userEventTriggered(context, event);
            return;
        }
        if (!shaken.isSuccess()) {
            fail(context, TlsFailure.reason(shaken.cause()));
            return;
        }
        SslHandler handler = context.pipeline().get(SslHandler.class);
        if (tls.isDirect() && !ClientTls.isPostgres(handler)) {
            fail(context, "the server did not agree by ALPN to speak PostgreSQL's protocol");
            return;
        }
        context.fireUserEventTriggered(
                TlsSession.ofServer(handler.engine(), keys == null ? "" : keys.end(context.channel())));
        goOn(context);
    }

    private void goOn(ChannelHandlerContext context) {
        context.pipeline().remove(this);
        context.fireChannelActive();
    }

    private void fail(ChannelHandlerContext context, String reason) {
        if (!failed) {
            failed = true;
            context.fireUserEventTriggered(new TlsFailure(reason));
            context.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail(context, TlsFailure.isCauseOf(cause) ? TlsFailure.reason(cause) : String.valueOf(cause.getMessage()));
    }
}
