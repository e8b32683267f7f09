package io.plenum.pooler.link;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * One conversation that somebody wrote down: what the client sends, and what it waits for in between.
 *
 * @param place file and line, for whoever looks for it
 * @param reason the comment above it, empty where there is none
 * @param since the first major version of PostgreSQL with which it differs, where it does; 0 for all
 * @param login what the startup packet says besides user and database
 */
record PgsScript(String name, String place, String reason, int since, Map<String, String> login, List<Step> steps) {
    /** What is done at one point of the conversation. */
    sealed interface Step {
        /** One write. */
        @SuppressWarnings("ArrayRecordComponent") // nobody compares two
        record Send(byte[] bytes) implements Step {
            @Override
            public String toString() {
                return "send " + bytes.length + " bytes";
            }
        }

        /** Wait for so many ReadyForQuery. */
        record Ready(int count) implements Step {}

        /** Wait for the next message of this type. */
        record Until(char type) implements Step {}

        /** Wait until the other side closes. */
        record End() implements Step {}

        /** Ask over a second connection that what runs be cancelled. */
        record Cancel() implements Step {}

        /** Somebody who has nothing to do with the pool does this on the server. */
        record Meanwhile(String sql) implements Step {}

        /** A client of the same pool, or one more of the server where there is none, comes, says this and leaves. */
        record Stranger(String sql) implements Step {}
    }

    /** Who else is there. */
    interface Others {
        void meanwhile(String sql) throws IOException;

        void stranger(String sql) throws IOException;
    }

    void play(ScriptPlayer player, Others others) throws IOException {
        for (Step step : steps) {
            switch (step) {
                case Step.Send send -> player.send(send.bytes());
                case Step.Ready ready -> player.ready(ready.count());
                case Step.Until until -> player.until(until.type());
                case Step.End() -> player.end();
                case Step.Cancel() -> player.client().cancel();
                case Step.Meanwhile meanwhile -> others.meanwhile(meanwhile.sql());
                case Step.Stranger stranger -> others.stranger(stranger.sql());
            }
        }
    }
}
