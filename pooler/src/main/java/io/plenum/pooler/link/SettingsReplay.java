package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.frontend.FrontendMessages;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Parse, Bind, Execute and Sync that make one session's settings equal to another's. */
public final class SettingsReplay {
    private SettingsReplay() {}

    /**
     * Appends the four messages; names and values are parameters of set_config, so no text of a client becomes SQL.
     *
     * <p>A null value makes set_config go back to the value that the session started with.
     */
    public static void write(ByteBuf out, SessionSettings actual, SessionSettings wanted) {
        List<byte @Nullable []> parameters = new ArrayList<>();
        var sql = new StringBuilder("SELECT ");
        SessionSettings.difference(actual, wanted, (name, value) -> {
            if (!parameters.isEmpty()) {
                sql.append(',');
            }
            sql.append("pg_catalog.set_config($").append(parameters.size() + 1);
            sql.append(",$").append(parameters.size() + 2).append(",false)");
            parameters.add(name.getBytes(StandardCharsets.UTF_8));
            parameters.add(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
        });
        FrontendMessages.parse(out, "", sql.toString());
        FrontendMessages.bind(out, "", "", parameters);
        FrontendMessages.execute(out, "", 0);
        FrontendMessages.sync(out);
    }
}
