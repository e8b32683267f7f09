package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.wire.startup.StartupPacket;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What came of startup packets, by their bytes: clients that connect for each of their queries say the same thousands of times
 * a second. Only reading is saved: each of them still proves who it is, unless nobody has to.
 *
 * <p>A packet takes the place of another one with the same hash, so there are never more than {@link #PLACES}. Confined to the
 * event loop of its clients.
 */
final class KnownLogins {
    private static final int PLACES = 256;

    /** Longer packets are read each time. */
    private static final int LONGEST = 1024;

    private final @Nullable KnownLogin[] places = new KnownLogin[PLACES];

    /**
     * A packet that led to a session of a database, and what that session was made from.
     *
     * @param config under another one all of it is worth nothing
     * @param generation in another one too
     * @param unasked whether the settings let in everybody who sends it
     */
    record KnownLogin(
            byte[] packet,
            StartupPacket.Startup startup,
            PoolerConfig config,
            int generation,
            DatabaseConfig database,
            boolean unasked,
            ClientSettings limits,
            SessionProfile profile) {}

    /** What came of the same packet under the same configuration in the same generation; null when it is not known. */
    @Nullable
    KnownLogin find(ByteBuf bytes, int start, int length, PoolerConfig config, int generation) {
        if (length > LONGEST) {
            return null;
        }
        KnownLogin known = places[place(bytes, start, length)];
        return known != null
                        && known.config() == config
                        && known.generation() == generation
                        && isSame(known.packet(), bytes, start, length)
                ? known
                : null;
    }

    void keep(KnownLogin login) {
        byte[] packet = login.packet();
        if (packet.length <= LONGEST) {
            places[Arrays.hashCode(packet) & (PLACES - 1)] = login;
        }
    }

    private static boolean isSame(byte[] packet, ByteBuf bytes, int start, int length) {
        if (packet.length != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (packet[i] != bytes.getByte(start + i)) {
                return false;
            }
        }
        return true;
    }

    /** As {@link Arrays#hashCode(byte[])} has it. */
    private static int place(ByteBuf bytes, int start, int length) {
        int hash = 1;
        for (int i = start; i < start + length; i++) {
            hash = 31 * hash + bytes.getByte(i);
        }
        return hash & (PLACES - 1);
    }
}
