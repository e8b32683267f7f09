package io.plenum.routing;

import io.netty.buffer.Unpooled;
import io.plenum.routing.sql.NameTable;
import io.plenum.wire.AsciiCase;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Catalog} of what was read from a database. Used once, by one thread; it may take as long as it takes to
 * read all the code.
 *
 * <p>A function's label (IMMUTABLE, STABLE) is a promise that nobody checks. So what is written in SQL and PL/pgSQL is
 * read as well: a function that calls a volatile one, takes a lock or asks for what nodes differ in counts as volatile. Of
 * other languages only C is taken at its word, which is that of an extension.
 *
 * <p>What is reached without being named, from operators, casts, types and what sorts them, counts for every statement: IN,
 * DISTINCT, an index, an argument that is converted show nothing of it. There the code alone counts, and C is trusted, for many
 * extensions have labelled none of this.
 *
 * <p>What calls what is resolved from the good end: all is taken for harmless until something in it is found that is not,
 * and that is repeated until nothing new is found.
 */
public final class CatalogBuilder {
    /** Code that calls itself or others deeper than this is given up on: then nothing is certain. */
    private static final int MOST_ROUNDS = 64;

    private static final int SEEN_IN_CODE = Traits.RUNS_UNKNOWN_CODE
            | Traits.CHANGES_SESSION
            | Traits.ENDS_STATEMENTS
            | Traits.NOTIFIES
            | Traits.ASKS_SEQUENCE_MEMORY;

    /** What code a function is. */
    private static final class Function {
        private final String name;
        private final boolean system;
        private final boolean takesOne;
        private final @Nullable String language;
        private final byte @Nullable [] body;
        private final List<Long> parts = new ArrayList<>();
        private final List<byte[]> defaults = new ArrayList<>();
        /** What it is for a call of its name: by its label, or by its code. */
        private boolean isVolatile;
        /** By its code alone. */
        private boolean isOpaque;

        private boolean isUnclean;

        private Function(
                String name,
                boolean system,
                boolean takesOne,
                boolean isVolatile,
                @Nullable String language,
                byte @Nullable [] body) {
            this.name = name;
            this.system = system;
            this.takesOne = takesOne;
            this.isVolatile = isVolatile;
            this.language = language;
            this.body = body;
        }

        private boolean isCompiled() {
            return isCompiled(language);
        }

        private static boolean isCompiled(@Nullable String language) {
            return "c".equals(language) || "internal".equals(language);
        }
    }

    /** Code that a relation runs. */
    private record Code(String relation, boolean onRead, boolean onWrite, byte[] sql) {}

    /** A function that a relation runs, or an operator, when it is used. */
    private record Use(String name, boolean onRead, boolean onWrite, long function) {}

    /** What holds of one relation holds of the other, in these bits. */
    private record Edge(String from, String to, int bits) {}

    private final Map<Long, Function> functions = new LinkedHashMap<>();
    private final List<Code> codes = new ArrayList<>();
    private final List<Use> uses = new ArrayList<>();
    private final List<Edge> edges = new ArrayList<>();
    private final Map<String, Integer> relations = new HashMap<>();
    private final Map<String, Integer> immutable = new HashMap<>();
    private final List<Long> watchers = new ArrayList<>();
    private final List<Long> reachedAnywhere = new ArrayList<>();
    private final StatementClassifier classifier = new StatementClassifier(true);
    private final CodeReader reader = new CodeReader();
    private boolean operators;
    private Catalog.Isolation isolation = Catalog.Isolation.READ_COMMITTED;
    private boolean foldsLetters;
    private boolean hides;

    /** One of PostgreSQL's own functions, of which each overload is immutable. */
    public void immutableBuiltIn(String name) {
        immutable.put(name, Catalog.IMMUTABLE);
    }

    /**
     * A function of users or of an extension.
     *
     * @param system whether it is in pg_catalog
     * @param takesOne whether one argument is enough, so that {@code a.name} may call it
     * @param volatility as pg_proc has it
     * @param body its text; null where it is too long or in no language that is read. Of C something, if it is known to run SQL
     *     that it is given
     */
    public void function(
            long oid,
            String name,
            boolean system,
            boolean takesOne,
            char volatility,
            String language,
            @Nullable String body) {
        byte @Nullable [] text = body == null ? null : body.getBytes(StandardCharsets.UTF_8);
        String of = AsciiCase.lower(language);
        boolean compiled = Function.isCompiled(of);
        if (text != null && !compiled) {
            hides |= HiddenState.isIn(Unpooled.wrappedBuffer(text), 0, text.length);
        } else {
            hides |= text != null || !compiled;
        }
        boolean labelled = volatility == 'i' || volatility == 's';
        functions.put(oid, new Function(name, system, takesOne, !labelled, of, text));
    }

    /** An aggregate runs this function; {@code harmful} if that is PostgreSQL's own and volatile. */
    public void aggregateRuns(long aggregate, long function, boolean harmful) {
        Function of = functions.get(aggregate);
        if (of != null) {
            of.parts.add(function);
            of.isVolatile |= harmful;
            of.isUnclean |= harmful;
        }
    }

    /** A call of the function may evaluate this, which arguments have by default; null where that is too long to be read. */
    public void defaults(long function, @Nullable String expressions) {
        Function of = functions.get(function);
        if (of != null && expressions != null) {
            of.defaults.add(("SELECT " + expressions).getBytes(StandardCharsets.UTF_8));
        } else if (of != null) {
            spoil(of);
        }
    }

    /**
     * A statement may run this function without naming anything of it: that of an operator, of a cast, of the check of a domain,
     * of a class of operators or of a range. PostgreSQL's own is not told unless it is volatile.
     */
    public void reachedAnywhere(long function) {
        reachedAnywhere.add(function);
    }

    /** An operator of users runs this function. */
    public void operator(String name, long function) {
        operators = true;
        uses.add(new Use(name, true, true, function));
    }

    /** A cast to this type, or a check of its values, runs this function. */
    public void typeRuns(String type, long function) {
        uses.add(new Use(type, true, true, function));
    }

    public void sequence(String name) {
        relation(name, Catalog.SEQUENCE);
    }

    public void unlogged(String name) {
        relation(name, Catalog.UNLOGGED);
    }

    /** A foreign table: reading it asks another server, and is as little known as writing to it. */
    public void foreign(String name) {
        relation(name, Catalog.OPAQUE);
    }

    /** Something of which is not known what it runs: a view too long to be read. */
    public void unread(String name) {
        relation(name, Catalog.OPAQUE | Catalog.UNCLEAN_READ | Catalog.UNCLEAN_WRITE);
    }

    /** A rule replaces what is written to the relation. */
    public void ruled(String name) {
        relation(name, Catalog.UNCLEAN_WRITE);
    }

    /** The definition of a view. What is written to it may be written to the tables in it. */
    public void view(String name, String sql) {
        codes.add(new Code(name, true, true, sql.getBytes(StandardCharsets.UTF_8)));
        codes.add(new Code(name, false, true, ("INSERT INTO _ " + sql).getBytes(StandardCharsets.UTF_8)));
    }

    /** An expression that is evaluated when the relation is read, and when it is written to. */
    public void evaluatedAlways(String name, String expression) {
        codes.add(new Code(name, true, true, ("SELECT " + expression).getBytes(StandardCharsets.UTF_8)));
    }

    /** An expression that is evaluated when the relation is written to. */
    public void evaluatedOnWrite(String name, String expression) {
        codes.add(new Code(name, false, true, ("SELECT " + expression).getBytes(StandardCharsets.UTF_8)));
    }

    /** A trigger of users runs this function. */
    public void trigger(String name, long function) {
        uses.add(new Use(name, false, true, function));
    }

    /** An event trigger runs this function. */
    public void eventTrigger(long function) {
        watchers.add(function);
    }

    /** Whoever uses the parent uses the child. */
    public void child(String parent, String child) {
        edges.add(new Edge(child, parent, Catalog.EVERYWHERE & ~Catalog.SEQUENCE));
    }

    /** The same where the triggers of the parent are the child's too. */
    public void partition(String parent, String child) {
        child(parent, child);
        edges.add(new Edge(parent, child, Catalog.UNCLEAN_READ | Catalog.UNCLEAN_WRITE)); // its key and its triggers
    }

    /** The relation has a column of the type, or of one that is made of it. */
    public void column(String type, String relation) {
        edges.add(new Edge(type, relation, Catalog.UNCLEAN_WRITE));
    }

    /** The one type is made of the other. */
    public void derivedType(String type, String derived) {
        edges.add(new Edge(type, derived, Catalog.OPAQUE | Catalog.UNCLEAN_READ | Catalog.UNCLEAN_WRITE));
    }

    /** A write to the one may write to the other: by a foreign key that cascades. */
    public void cascade(String written, String alsoWritten) {
        edges.add(new Edge(alsoWritten, written, Catalog.UNCLEAN_WRITE));
    }

    /** Transactions of this database are serializable unless a client says otherwise. */
    public void serializable() {
        isolation = Catalog.Isolation.SERIALIZABLE;
    }

    /** Transactions of this database keep one snapshot, if they are no more, unless a client says otherwise. */
    public void repeatableRead() {
        if (isolation == Catalog.Isolation.READ_COMMITTED) {
            isolation = Catalog.Isolation.REPEATABLE_READ;
        }
    }

    /** The server's encoding is not UTF-8, so it may fold letters beyond ASCII. */
    public void foldsLetters() {
        foldsLetters = true;
    }

    /** The snapshot; {@link Catalog#AWAITED} where the code is nested too deeply to be understood. */
    public Catalog build() {
        for (int round = 0; round < MOST_ROUNDS; round++) {
            Catalog soFar = snapshot(0);
            if (!judge(soFar)) {
                Catalog whole = snapshot(anywhere());
                return foldsLetters ? whole.inAnyEncoding() : whole;
            }
        }
        return Catalog.AWAITED;
    }

    /** Judges all code by what is known so far; whether that is more now. */
    private boolean judge(Catalog soFar) {
        boolean more = false;
        for (Function function : functions.values()) {
            if (!function.isVolatile || !function.isUnclean) {
                more |= judge(function, soFar);
            }
        }
        for (Code code : codes) {
            more |= judge(code, soFar);
        }
        for (Use use : uses) {
            Function function = functions.get(use.function());
            if (function == null) {
                continue; // PostgreSQL's own
            }
            int bits = (use.onRead() && function.isVolatile ? Catalog.OPAQUE : 0)
                    | (use.onRead() && function.isUnclean ? Catalog.UNCLEAN_READ : 0)
                    | (use.onWrite() && function.isUnclean ? Catalog.UNCLEAN_WRITE : 0);
            more |= relation(use.name(), bits);
        }
        for (Edge edge : edges) {
            more |= relation(edge.to(), relations.getOrDefault(edge.from(), 0) & edge.bits());
        }
        return more;
    }

    private boolean judge(Function function, Catalog soFar) {
        boolean wasVolatile = function.isVolatile;
        boolean wasUnclean = function.isUnclean;
        byte[] body = function.body;
        switch (function.language) {
            case "sql" -> {
                if (body == null) {
                    spoil(function);
                } else {
                    judge(function, sqlOf(body), soFar);
                }
            }
            case "plpgsql" -> {
                if (body == null) {
                    spoil(function);
                } else {
                    reader.read(body, soFar);
                    function.isOpaque |= !reader.mayRunOnStandby();
                    function.isUnclean |= !reader.isClean();
                }
            }
            case "c", "internal" -> {
                if (body == null) {
                    function.isUnclean |= function.isVolatile;
                } else {
                    spoil(function); // it runs what its arguments say
                }
            }
            case null, default -> spoil(function);
        }
        for (byte[] expressions : function.defaults) {
            judge(function, expressions, soFar);
        }
        function.isVolatile |= function.isOpaque;
        for (long part : function.parts) {
            Function of = functions.get(part);
            if (of != null) {
                function.isVolatile |= of.isVolatile;
                function.isUnclean |= of.isUnclean;
            }
        }
        return function.isVolatile != wasVolatile || function.isUnclean != wasUnclean;
    }

    private void judge(Function function, byte[] sql, Catalog soFar) {
        Reason reason = classify(sql, soFar);
        function.isOpaque |= reason != Reason.READ && reason != Reason.EMPTY;
        function.isUnclean |= leaves(reason);
    }

    private static void spoil(Function function) {
        function.isOpaque = true;
        function.isVolatile = true;
        function.isUnclean = true;
    }

    /** What any statement may run. */
    private int anywhere() {
        int bits = 0;
        for (long reached : reachedAnywhere) {
            Function function = functions.get(reached);
            if (function == null) {
                bits |= Catalog.OPAQUE | Catalog.UNCLEAN_READ;
            } else if (!function.isCompiled()) {
                bits |= (function.isOpaque ? Catalog.OPAQUE : 0) | (function.isUnclean ? Catalog.UNCLEAN_READ : 0);
            }
        }
        return bits;
    }

    /** BEGIN ATOMIC ... END and RETURN, as PostgreSQL writes bodies that it has parsed, are made statements. */
    private static byte[] sqlOf(byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8).strip();
        if (text.startsWith("BEGIN ATOMIC") && text.endsWith("END")) {
            return text.substring("BEGIN ATOMIC".length(), text.length() - "END".length())
                    .getBytes(StandardCharsets.UTF_8);
        }
        return text.startsWith("RETURN ")
                ? ("SELECT " + text.substring("RETURN ".length())).getBytes(StandardCharsets.UTF_8)
                : body;
    }

    private boolean judge(Code code, Catalog soFar) {
        Reason reason = classify(code.sql(), soFar);
        int bits = 0;
        if (code.onRead() && reason != Reason.READ) {
            bits |= Catalog.OPAQUE;
        }
        if (leaves(reason)) {
            bits |= (code.onRead() ? Catalog.UNCLEAN_READ : 0) | (code.onWrite() ? Catalog.UNCLEAN_WRITE : 0);
        }
        return relation(code.relation(), bits);
    }

    private Reason classify(byte[] sql, Catalog soFar) {
        return classifier.classify(Unpooled.wrappedBuffer(sql), 0, sql.length, true, soFar);
    }

    /** Whether what was classified last may leave something in the session. */
    private boolean leaves(Reason reason) {
        return reason.leavesState() || (classifier.traits() & SEEN_IN_CODE) != 0;
    }

    private boolean relation(String name, int bits) {
        int before = relations.getOrDefault(name, 0);
        if ((before | bits) == before) {
            return false;
        }
        relations.put(name, before | bits);
        return true;
    }

    private Catalog snapshot(int anywhere) {
        Map<String, Integer> names = new HashMap<>(immutable);
        relations.forEach((name, bits) -> names.merge(name, bits, (one, other) -> one | other));
        for (Function function : functions.values()) {
            int bits = Catalog.FUNCTION
                    | (function.system ? Catalog.SYSTEM_FUNCTION : 0)
                    | (function.takesOne ? Catalog.COLUMN : 0)
                    | (function.isVolatile ? Catalog.VOLATILE : 0)
                    | (function.isUnclean ? Catalog.UNCLEAN : 0);
            names.merge(function.name, bits, (one, other) -> one | other);
        }
        boolean watches = watchers.stream().anyMatch(function -> {
            Function of = functions.get(function);
            return of == null || of.isUnclean;
        });
        return new Catalog(NameTable.of(names), true, operators, anywhere, watches, isolation, hides);
    }
}
