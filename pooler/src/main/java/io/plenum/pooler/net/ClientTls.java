package io.plenum.pooler.net;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.plenum.pooler.config.TlsConfig;
import io.plenum.pooler.config.TlsMode;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** TLS with clients: who gets it, with which certificate of ours. Immutable; any thread. */
public final class ClientTls {
    private final TlsConfig config;
    private final TlsEngine engine;
    private final @Nullable SslContext context;

    /**
     * Does not read a file.
     *
     * @throws SSLException when the engine cannot do what the settings say
     */
    ClientTls(TlsConfig config) throws SSLException {
        this.config = config;
        this.engine = new TlsEngine(config);
        PrivateKey key = config.key();
        this.context = config.isOn() && key != null ? context(key) : null;
    }

    private SslContext context(PrivateKey key) throws SSLException {
        SslContextBuilder builder = SslContextBuilder.forServer(key, config.chain())
                .clientAuth(
                        config.mode().verifies()
                                ? ClientAuth.REQUIRE
                                : config.authorities().isEmpty() ? ClientAuth.NONE : ClientAuth.OPTIONAL);
        if (!config.authorities().isEmpty()) {
            builder.trustManager(config.authorities());
        }
        return engine.build(builder);
    }

    /** Whether whoever asks for TLS gets it. */
    public boolean isOffered() {
        return context != null;
    }

    public TlsMode mode() {
        return config.mode();
    }

    TlsConfig config() {
        return config;
    }

    /** What encrypts one connection; only if {@link #isOffered()}. */
    public SslHandler newHandler(ByteBufAllocator buffers) {
        if (context == null) {
            throw new IllegalStateException("no TLS with clients");
        }
        return engine.prepare(context.newHandler(buffers, TlsEngine.handshakeExecutor()));
    }

    /** What the handshake came to, with keys of that {@link KeyExchange group}. */
    public TlsSession session(SslHandler handler, String group) {
        X509Certificate own = config.chain().getFirst();
        return TlsSession.ofClient(handler.engine(), group, own);
    }

    /** Whether client and we agreed by ALPN that it is PostgreSQL that is spoken. */
    public static boolean isPostgres(SslHandler handler) {
        return TlsEngine.ALPN.equals(handler.applicationProtocol());
    }
}
