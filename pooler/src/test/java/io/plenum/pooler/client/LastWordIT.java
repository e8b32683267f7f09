package io.plenum.pooler.client;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static io.plenum.testbed.Frames.terminate;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.net.Transport;
import io.plenum.testbed.PostgresServer;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that says Terminate behind what it asks, and closes its side at once, is answered before it is closed. */
@ExtendWith(LeakWatch.class)
class LastWordIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @ParameterizedTest
    @EnumSource(Transport.class)
    void statementsInFrontOfTerminateAreAnswered(Transport transport) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", RunningPooler.on(transport));
                var simple = pooler.wire();
                var extended = pooler.wire();
                var later = pooler.wire()) {
            simple.send(query("SELECT pg_sleep(0.2)"), query("SELECT 'second'"), terminate());
            simple.halfClose();
            assertThat(simple.readUntilReady())
                    .anySatisfy(m -> assertThat(m.type()).isEqualTo('D'));
            assertThat(simple.readUntilReady())
                    .anySatisfy(m -> assertThat(m.text()).contains("second"));
            assertThat(simple.isClosedWithin(Duration.ofSeconds(5))).isTrue();

            extended.send(parse("", "SELECT pg_sleep(0.2)"), bind("", ""), execute(), sync());
            Thread.sleep(50);
            extended.send(terminate());
            extended.halfClose();
            assertThat(extended.readUntilReady())
                    .anySatisfy(m -> assertThat(m.type()).isEqualTo('D'));
            assertThat(extended.isClosedWithin(Duration.ofSeconds(5))).isTrue();

            assertThat(later.value("SELECT 1")).isEqualTo("1");
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void statementsThatWaitForAServerAreRunAllTheSame(Transport transport) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", RunningPooler.on(transport));
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            waiter.send(query("SELECT 'waited'"), terminate());
            waiter.halfClose();
            Thread.sleep(100);
            holder.rows("COMMIT");

            assertThat(waiter.readUntilReady())
                    .anySatisfy(m -> assertThat(m.text()).contains("waited"));
            assertThat(waiter.isClosedWithin(Duration.ofSeconds(5))).isTrue();
        }
    }
}
