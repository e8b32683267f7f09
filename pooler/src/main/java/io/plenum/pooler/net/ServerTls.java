package io.plenum.pooler.net;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.plenum.pooler.config.TlsConfig;
import io.plenum.pooler.config.TlsMode;
import io.plenum.pooler.config.TlsNegotiation;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** TLS with servers: whether, and what a server's certificate must say. Immutable; any thread. */
public final class ServerTls {
    /** Plain text with all servers. */
    public static final ServerTls OFF = off();

    private final TlsConfig config;
    private final TlsEngine engine;
    private final @Nullable SslContext context;

    /**
     * Does not read a file.
     *
     * @throws SSLException when the engine cannot do what the settings say
     */
    ServerTls(TlsConfig config) throws SSLException {
        this.config = config;
        this.engine = new TlsEngine(config);
        this.context = config.isOn() ? context() : null;
    }

    private static ServerTls off() {
        try {
            return new ServerTls(TlsConfig.OFF);
        } catch (SSLException impossible) {
            throw new IllegalStateException("no context is made where there is no TLS", impossible);
        }
    }

    private SslContext context() throws SSLException {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .endpointIdentificationAlgorithm(config.mode() == TlsMode.VERIFY_FULL ? "HTTPS" : null);
        if (config.key() != null) {
            builder.keyManager(config.key(), config.chain());
        }
        if (!config.mode().verifies()) {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        } else if (!config.authorities().isEmpty()) {
            builder.trustManager(config.authorities());
        }
        return engine.build(builder);
    }

    /** Whether servers are asked for TLS at all. */
    boolean isOn() {
        return context != null;
    }

    /** Whether a server that has no TLS is not spoken to. */
    boolean isDemanded() {
        return config.mode().isDemanded();
    }

    /** Whether the handshake begins unasked. */
    boolean isDirect() {
        return config.negotiation() == TlsNegotiation.DIRECT;
    }

    TlsConfig config() {
        return config;
    }

    /** What encrypts one connection to the server of that name; only if {@link #isOn()}. */
    SslHandler newHandler(ByteBufAllocator buffers, String host, int port) {
        if (context == null) {
            throw new IllegalStateException("no TLS with servers");
        }
        return engine.prepare(context.newHandler(buffers, host, port, TlsEngine.handshakeExecutor()));
    }
}
