package io.plenum.pooler.fuzz;

import static io.plenum.pooler.fuzz.Execution.demand;
import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.ProxyHeader;
import io.plenum.wire.startup.StartupPacket;
import io.plenum.wire.startup.StartupParameters;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;

/** What a connection may begin with: a proxy's header, a startup packet of any kind. */
public final class StartupFuzz {
    private static final int LONGEST_NAME = 63;
    private static final int LONGEST_HEADER = 4096;

    private static final Pattern SETTING =
            Pattern.compile("[a-z_\\P{ASCII}][a-z0-9_$\\P{ASCII}]*+(?:\\.[a-z_\\P{ASCII}][a-z0-9_$\\P{ASCII}]*+)*+");

    private StartupFuzz() {}

    /** Called by the fuzzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        Execution.of(input, () -> {
            ByteBuf bytes = Unpooled.wrappedBuffer(input);
            int at = proxyHeader(bytes);
            if (at >= 0) {
                packet(Arrays.copyOfRange(input, at, input.length));
            }
        });
    }

    /** Behind the header, 0 without one; -1 when it is refused or not all there. */
    private static int proxyHeader(ByteBuf bytes) {
        int end = bytes.writerIndex();
        if (!ProxyHeader.begins(bytes, 0, end)) {
            return 0;
        }
        demand(
                end < 4 || bytes.getInt(0) > StartupPacket.LENGTH_WORD + StartupPacket.MAX_BODY,
                "also a startup packet");
        try {
            int length = ProxyHeader.lengthAt(bytes, 0, end);
            demand(length <= LONGEST_HEADER, "a header of %d bytes", length);
            for (int cut = 0; cut < end; cut++) {
                int sooner = ProxyHeader.lengthAt(bytes, 0, cut);
                demand(
                        sooner == 0 || sooner == length,
                        "its length is %d, and %d once more of it is there",
                        sooner,
                        length);
            }
            if (length == 0 || length > end) {
                return -1;
            }
            byte[] address = ProxyHeader.parse(bytes, 0, length).address();
            demand(address == null || address.length == 4 || address.length == 16, "an address of another family");
            return length;
        } catch (ProtocolException refused) {
            return -1;
        }
    }

    private static void packet(byte[] input) {
        if (input.length < StartupPacket.LENGTH_WORD) {
            return;
        }
        String first = read(Unpooled.wrappedBuffer(input), 0, input.length);
        ByteBuf amid = Execution.amidOthers(input, 7);
        try {
            demandSame(first, read(amid, 7, input.length), "where the packet stands makes a difference");
        } finally {
            amid.release();
        }
    }

    private static String read(ByteBuf bytes, int start, int available) {
        StartupPacket packet;
        try {
            int length = StartupPacket.lengthAt(bytes, start);
            if (length > available) {
                return "more to come";
            }
            packet = StartupPacket.parse(bytes, start, length);
        } catch (ProtocolException refused) {
            return refused.sqlState() + " " + refused.getMessage();
        }
        return switch (packet) {
            case StartupPacket.Ssl _ -> "SSL";
            case StartupPacket.GssEncryption _ -> "GSS";
            case StartupPacket.Cancel cancel -> {
                ByteBuf again = Unpooled.buffer();
                FrontendMessages.cancelRequest(again, cancel.key());
                demandSame(cancel, StartupPacket.parse(again, 0, again.writerIndex()), "not what was written");
                yield cancel.toString();
            }
            case StartupPacket.Startup startup -> startup.version() + " " + of(startup);
        };
    }

    private static String of(StartupPacket.Startup startup) {
        StartupParameters parameters = startup.parameters();
        String user = parameters.user();
        demand(!user.isEmpty(), "nobody logs in");
        demand(bytes(user) <= LONGEST_NAME && bytes(parameters.database()) <= LONGEST_NAME, "a name that is not cut");
        ByteBuf again = Unpooled.buffer();
        FrontendMessages.startup(again, startup.version(), parameters.sent());
        if (again.writerIndex() <= StartupPacket.LENGTH_WORD + StartupPacket.MAX_BODY) { // replacements take more room
            var reread = (StartupPacket.Startup) StartupPacket.parse(again, 0, again.writerIndex());
            demandSame(parameters.sent(), reread.parameters().sent(), "not what was written");
        }
        return parameters.sent() + " " + parameters.options() + " " + settings(parameters);
    }

    private static String settings(StartupParameters parameters) {
        try {
            parameters.settings().forEach((name, value) -> {
                demand(SETTING.matcher(name).matches(), "no setting is called %s", name);
                demand(value.indexOf('\0') < 0, "a zero byte in the value of %s", name);
            });
            return parameters.settings().toString();
        } catch (ProtocolException refused) {
            return refused.sqlState() + " " + refused.getMessage();
        }
    }

    private static int bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length;
    }
}
