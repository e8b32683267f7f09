package io.plenum.pooler.fuzz;

import static io.plenum.pooler.fuzz.Execution.demand;
import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.routing.Catalog;
import io.plenum.routing.CatalogBuilder;
import io.plenum.routing.GlobalChanges;
import io.plenum.routing.PreparedName;
import io.plenum.routing.Reason;
import io.plenum.routing.SessionChanges;
import io.plenum.routing.StatementClassifier;
import io.plenum.routing.sql.Fingerprint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A text of SQL, and all that is read in it before it goes to a server. */
public final class SqlFuzz {
    /** As long is what is made of a short text that is repeated, so that more than linear time shows. */
    private static final int LONG = 128 * 1024;

    private static final byte[] WRITE_BEHIND = "\n; DELETE FROM users".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] WRITE_BEFORE = "DELETE FROM users;".getBytes(StandardCharsets.US_ASCII);

    private static final StatementClassifier CLASSIFIER = new StatementClassifier();
    private static final SessionChanges CHANGES = new SessionChanges();
    private static final GlobalChanges GLOBALS = new GlobalChanges();
    private static final PreparedName PREPARED = new PreparedName();
    private static final Catalog CATALOG = catalog("SELECT 1");

    private SqlFuzz() {}

    /** Called by the fuzzer. The first byte says whether the text is repeated, and whether it is a function's too. */
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length == 0) {
            return;
        }
        byte[] text = Arrays.copyOfRange(input, 1, input.length);
        switch (input[0] & 0xf) {
            case 0xf -> {
                byte[] repeated = repeat(text);
                Execution.of(repeated.length, () -> read(Unpooled.wrappedBuffer(repeated), 0, repeated.length));
            }
            case 0xe ->
                Execution.of(text, () -> {
                    String body = new String(text, StandardCharsets.UTF_8);
                    demandSame(catalog(body).isFresh(), true, "a catalogue that is not there");
                });
            default -> Execution.of(text, () -> look(text));
        }
    }

    /** What the classifier says of a text; for the second parser, which is asked of all that was found. */
    public static Reason reason(byte[] text) {
        return CLASSIFIER.classify(Unpooled.wrappedBuffer(text), 0, text.length, true, CATALOG);
    }

    private static byte[] repeat(byte[] text) {
        if (text.length == 0) {
            return text;
        }
        byte[] repeated = new byte[LONG];
        for (int at = 0; at < LONG; at += text.length) {
            System.arraycopy(text, 0, repeated, at, Math.min(text.length, LONG - at));
        }
        return repeated;
    }

    private static void look(byte[] text) {
        List<Object> first = read(Unpooled.wrappedBuffer(text), 0, text.length);
        ByteBuf amid = Execution.amidOthers(text, 11);
        try {
            demandSame(first, read(amid, 11, 11 + text.length), "where the text stands makes a difference");
            Reason unsafe = CLASSIFIER.classify(amid, 11, 11 + text.length, false, CATALOG);
            demand(unsafe != Reason.READ, "a text that cannot be trusted is taken for a read");
        } finally {
            amid.release();
        }
        if (reason(text) == Reason.READ) {
            demand(reason(join(text, WRITE_BEHIND)) != Reason.READ, "a write behind it is not seen");
            demand(reason(join(WRITE_BEFORE, text)) != Reason.READ, "a write in front of it is not seen");
        }
    }

    private static List<Object> read(ByteBuf sql, int start, int end) {
        List<Object> read = new ArrayList<>();
        for (Catalog catalog : List.of(Catalog.OFF, CATALOG)) {
            read.add(CLASSIFIER.classify(sql, start, end, true, catalog));
            read.add(CLASSIFIER.traits());
        }
        CHANGES.read(sql, start, end, new Told(read));
        GLOBALS.read(sql, start, end, new ToldOfGlobals(read));
        PreparedName.Use use = PREPARED.read(sql, start, end);
        read.add(use);
        if (use != PreparedName.Use.NONE) {
            demand(
                    start <= PREPARED.nameStart()
                            && PREPARED.nameStart() < PREPARED.nameEnd()
                            && PREPARED.nameEnd() <= end,
                    "a name outside the text");
            read.add(new String(PREPARED.name(), StandardCharsets.ISO_8859_1));
        }
        read.add(Fingerprint.of(sql, start, end));
        return read;
    }

    private static byte[] join(byte[] one, byte[] other) {
        byte[] joined = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, joined, one.length, other.length);
        return joined;
    }

    /** With a function of each kind and a view. */
    private static Catalog catalog(String body) {
        var builder = new CatalogBuilder();
        builder.function(20_001, "touch", false, false, 'v', "plpgsql", body);
        builder.function(20_002, "reads", false, true, 's', "sql", body);
        builder.operator("<->", 20_001);
        builder.view("seen", body);
        builder.sequence("numbers");
        return builder.build();
    }

    /** The same of databases and roles. */
    private record ToldOfGlobals(List<Object> read) implements GlobalChanges.Sink {
        @Override
        public void claims(String database) {
            add("claims " + database);
        }

        @Override
        public void changes(@Nullable String role, @Nullable String database) {
            add("changes " + role + " in " + database);
        }

        private void add(String change) {
            if (read.size() < Told.MOST) {
                read.add(change);
            }
        }
    }

    /** Writes down the first changes that it is told of. */
    private record Told(List<Object> read) implements SessionChanges.Sink {
        private static final int MOST = 64;

        private void add(String change) {
            if (read.size() < MOST) {
                read.add(change);
            }
        }

        @Override
        public void set(String setting) {
            add("set " + setting);
        }

        @Override
        public void reset(String setting) {
            add("reset " + setting);
        }

        @Override
        public void resetAll() {
            add("reset all");
        }

        @Override
        public void discardAll() {
            add("discard all");
        }

        @Override
        public void listen(String channel) {
            add("listen " + channel);
        }

        @Override
        public void unlisten(String channel) {
            add("unlisten " + channel);
        }

        @Override
        public void unlistenAll() {
            add("unlisten all");
        }

        @Override
        public void setNamedBy(int parameter) {
            add("set $" + parameter);
        }

        @Override
        public void unknown() {
            add("unknown");
        }
    }
}
