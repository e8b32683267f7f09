package io.plenum.pooler.net;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.plenum.pooler.config.CipherSuites;
import io.plenum.pooler.config.TlsConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What both sides' TLS has in common: BoringSSL where its library loads, the JDK's engine otherwise. */
final class TlsEngine {
    private static final Logger LOG = LoggerFactory.getLogger(TlsEngine.class);

    /** The protocol that PostgreSQL's clients and servers name in ALPN. */
    static final String ALPN = "postgresql";

    private static final AtomicBoolean TOLD = new AtomicBoolean();
    private static final int HANDSHAKES_AT_ONCE =
            Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    private static final long CLOSE_MILLIS = 1_000;

    /** Where certificates are verified and handshakes computed, so that many of them at once do not hold up the loops. */
    private static final Executor HANDSHAKES = handshakes();

    private final TlsConfig config;
    private final SslProvider provider;

    TlsEngine(TlsConfig config) {
        this.config = config;
        if (!config.isOn()) {
            this.provider = SslProvider.JDK; // nothing is loaded for what nobody wants
            return;
        }
        this.provider = OpenSsl.isAvailable() && canBoringSsl(config) ? SslProvider.OPENSSL : SslProvider.JDK;
        if (!TOLD.getAndSet(true)) {
            if (OpenSsl.isAvailable()) {
                LOG.info("event=tls_engine engine=BoringSSL version=\"{}\"", OpenSsl.versionString());
            } else {
                LOG.info("event=tls_engine engine=JDK reason=\"{}\"", String.valueOf(OpenSsl.unavailabilityCause()));
            }
        }
    }

    /** It has its own order for the ciphers of TLS 1.3 and lets nobody choose, and of older ones it lacks those with DHE. */
    private static boolean canBoringSsl(TlsConfig config) {
        return config.ciphers13().isEmpty()
                && (CipherSuites.isDefault(config.ciphers())
                        || !ofBoringSsl().choose(config.ciphers()).isEmpty());
    }

    private static CipherSuites ofBoringSsl() {
        return new CipherSuites(OpenSsl.availableJavaCipherSuites());
    }

    private static Executor handshakes() {
        var pool = new ThreadPoolExecutor(
                HANDSHAKES_AT_ONCE,
                HANDSHAKES_AT_ONCE,
                30,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new DefaultThreadFactory("plenum-tls", true));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    static Executor handshakeExecutor() {
        return HANDSHAKES;
    }

    /** Puts what both sides share into the builder, and builds. */
    SslContext build(SslContextBuilder builder) throws SSLException {
        builder.sslProvider(provider)
                .protocols(config.protocols())
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        ALPN));
        if (!CipherSuites.isDefault(config.ciphers()) || !config.ciphers13().isEmpty()) {
            builder.ciphers(ciphers());
        }
        if (provider == SslProvider.OPENSSL && !config.curves().isEmpty()) {
            builder.option(OpenSslContextOption.GROUPS, config.curves().toArray(String[]::new));
        }
        return builder.build();
    }

    private List<String> ciphers() {
        CipherSuites suites = provider == SslProvider.OPENSSL ? ofBoringSsl() : CipherSuites.ofJava();
        List<String> all = new ArrayList<>(
                config.ciphers13().isEmpty() ? suites.newest() : suites.chooseNewest(config.ciphers13()));
        all.addAll(suites.choose(CipherSuites.isDefault(config.ciphers()) ? "secure" : config.ciphers()));
        return all;
    }

    /** The same for one connection. Its deadline is that of the login. */
    SslHandler prepare(SslHandler handler) {
        handler.setHandshakeTimeoutMillis(0);
        handler.setCloseNotifyFlushTimeoutMillis(CLOSE_MILLIS);
        if (provider == SslProvider.JDK && !config.curves().isEmpty()) {
            SSLParameters parameters = handler.engine().getSSLParameters();
            parameters.setNamedGroups(config.curves().toArray(String[]::new));
            handler.engine().setSSLParameters(parameters);
        }
        return handler;
    }
}
