package io.plenum.pooler.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.SslHandler;

/**
 * Reads in a handshake that goes by in which group the keys are agreed, for no engine tells. It stands between socket and TLS,
 * looks at what the server of the two says first, which is not encrypted, and goes away. Confined to its event loop.
 *
 * <p>RFC 8446, section 4.2.8: the ServerHello of TLS 1.3 has it in its key_share. RFC 8422, section 5.4: that of TLS 1.2 in
 * its ServerKeyExchange.
 */
public final class KeyExchange extends ChannelDuplexHandler {
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;
    private static final byte HANDSHAKE = 22;
    private static final byte SERVER_HELLO = 2;
    private static final byte SERVER_KEY_EXCHANGE = 12;
    private static final byte SERVER_HELLO_DONE = 14;
    private static final int VERSION_AND_RANDOM = 2 + 32;
    private static final int CIPHER_AND_COMPRESSION = 2 + 1;
    private static final int KEY_SHARE = 51;
    private static final byte NAMED_CURVE = 3;

    /** A chain of certificates that is longer is not looked through. */
    private static final int MOST_BYTES = 64 * 1024;

    private final boolean server;
    private final ByteBuf records = Unpooled.buffer(256); // on the heap: nobody has to free it
    private String group = "";
    private boolean over;

    private KeyExchange(boolean server) {
        this.server = server;
    }

    /** Puts one in front of TLS that is in the pipeline and has not begun; {@code server} says that we are the server. */
    public static KeyExchange watch(Channel channel, SslHandler tls, boolean server) {
        var watch = new KeyExchange(server);
        channel.pipeline().addBefore(channel.pipeline().context(tls).name(), null, watch);
        return watch;
    }

    /** The handshake is over: the group as OpenSSL names it; empty where keys are agreed otherwise. */
    public String end(Channel channel) {
        channel.pipeline().remove(this);
        return group;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (server && message instanceof ByteBuf bytes) {
            look(bytes);
        }
        context.write(message, promise);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!server && message instanceof ByteBuf bytes) {
            look(bytes);
        }
        context.fireChannelRead(message);
    }

    private void look(ByteBuf bytes) {
        if (over) {
            return;
        }
        if (records.readableBytes() + bytes.readableBytes() > MOST_BYTES) {
            over = true;
            return;
        }
        records.writeBytes(bytes, bytes.readerIndex(), bytes.readableBytes());
        try {
            read(messages());
        } catch (IndexOutOfBoundsException malformed) { // the engine will say so
            over = true;
        }
    }

    /** What the records hold, without their headers; the last may still grow. */
    private ByteBuf messages() {
        ByteBuf messages = Unpooled.buffer(records.readableBytes());
        int at = 0;
        while (!over && at + RECORD_HEADER <= records.writerIndex()) {
            int length = records.getUnsignedShort(at + 3);
            int start = at + RECORD_HEADER;
            if (records.getByte(at) != HANDSHAKE) {
                over = true; // from here on it is encrypted
            } else {
                messages.writeBytes(records, start, Math.min(length, records.writerIndex() - start));
                at = start + length;
            }
        }
        return messages;
    }

    private void read(ByteBuf messages) {
        while (messages.readableBytes() >= MESSAGE_HEADER) {
            byte type = messages.readByte();
            int length = messages.readUnsignedMedium();
            if (messages.readableBytes() < length) {
                return;
            }
            ByteBuf body = messages.readSlice(length);
            switch (type) {
                case SERVER_HELLO -> readHello(body);
                case SERVER_KEY_EXCHANGE -> {
                    over = true;
                    group = body.readByte() == NAMED_CURVE ? name(body.readUnsignedShort()) : "";
                }
                case SERVER_HELLO_DONE -> over = true;
                default -> {}
            }
        }
    }

    private void readHello(ByteBuf body) {
        body.skipBytes(VERSION_AND_RANDOM);
        body.skipBytes(body.readUnsignedByte()); // the session's id
        body.skipBytes(CIPHER_AND_COMPRESSION);
        if (!body.isReadable()) {
            return; // no extensions
        }
        ByteBuf extensions = body.readSlice(body.readUnsignedShort());
        while (extensions.isReadable()) {
            int type = extensions.readUnsignedShort();
            ByteBuf content = extensions.readSlice(extensions.readUnsignedShort());
            if (type == KEY_SHARE) {
                over = true;
                group = name(content.readUnsignedShort());
            }
        }
    }

    /** The registry of TLS Supported Groups, with OpenSSL's short names. */
    private static String name(int code) {
        return switch (code) {
            case 0x17 -> "prime256v1";
            case 0x18 -> "secp384r1";
            case 0x19 -> "secp521r1";
            case 0x1d -> "X25519";
            case 0x1e -> "X448";
            case 0x11ec -> "X25519MLKEM768";
            default -> "0x%04x".formatted(code);
        };
    }
}
