package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.closeStatement;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.sync;

import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/** Two clients that use the one server between the script's transactions, with the names that the script uses. */
final class Passers implements Strangers, AutoCloseable {
    private final WireClient first;
    private final WireClient second;

    Passers(RunningPooler pooler) throws IOException {
        first = pooler.wire(Map.of("application_name", "first stranger", "statement_timeout", "77s"));
        second = pooler.wire(Map.of("TimeZone", "Asia/Tokyo"));
        first.timeout(Duration.ofSeconds(3));
        second.timeout(Duration.ofSeconds(3));
    }

    @Override
    public void meanwhile() throws IOException {
        first.send(parse("", "SELECT 'stranger'"), bind("", ""), execute(), sync());
        first.readUntilReady();
        first.send(parse("s1", "SELECT 'of the stranger', $1::text"), bind("", "s1", "x"), execute(), sync());
        first.readUntilReady();
        first.send(closeStatement("s1"), sync());
        first.readUntilReady();
        second.send(parse("s2", "SELECT broken"), bind("", "s2"), execute(), sync());
        second.readUntilReady();
        second.rows("BEGIN; SELECT 1; ROLLBACK");
    }

    @Override
    public void close() throws IOException {
        first.close();
        second.close();
    }
}
