package io.plenum.pooler.config;

import org.jspecify.annotations.Nullable;

/** One entry of {@code [peers]}: another process to which cancel requests can be forwarded. */
public record PeerConfig(
        int id, String host, int port, @Nullable Integer poolSize) {}
