package io.plenum.pooler.catalog;

import io.plenum.routing.Catalog;
import io.plenum.routing.CatalogBuilder;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.DataRow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a database is asked about its names, and how the answer reads: rows of several shapes, of which the first column
 * tells which. All of one answer is one snapshot. Every role may ask it unless somebody revoked that.
 */
final class CatalogQuery {
    /** A larger answer is not read. */
    static final int MAX_BYTES = 32 * 1024 * 1024;

    /** Text of a function, view or expression beyond this is not read, and counts as not understood. */
    private static final int LONGEST_CODE = 64 * 1024;

    /** Views beyond so many are not read: they are deparsed one by one. */
    private static final int MOST_VIEWS = 5_000;

    private static final int FIRST_USER_OID = 16_384;

    /**
     * Grows with each change of the catalogues that are read; NULL where that cannot be told. pg_proc, pg_class, pg_rewrite,
     * pg_trigger, pg_policy, pg_attrdef, pg_constraint, pg_operator, pg_cast, pg_aggregate, pg_inherits, pg_event_trigger,
     * pg_type, pg_attribute, pg_db_role_setting, pg_amproc, pg_amop,
     * pg_statistic_ext.
     */
    private static final String CHANGES = """
        SELECT 'P', CASE WHEN current_setting('track_counts')::bool AND NOT pg_is_in_recovery() THEN
            (SELECT sum(pg_stat_get_tuples_inserted(o) + pg_stat_get_tuples_updated(o) + pg_stat_get_tuples_deleted(o))
             FROM unnest('{1255,1259,2618,2620,3256,2604,2606,2617,2605,2600,2611,3466,1247,1249,2964,2603,2602,3381}'::oid[]) o) END;
        """;

    /** No name of ours may mean another's object; a lock of somebody's is not waited for long. */
    private static final String BEGIN = """
        BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = pg_catalog;
        SET LOCAL client_encoding = 'UTF8'; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s';
        """;

    /** The part of a join that leaves out what belongs to one session. */
    private static final String NOT_TEMPORARY = "n.nspname !~ '^pg_(toast_)?temp_'";

    /**
     * What J tells of is reached without its name: of operators those that the grammar means by a word (IN, BETWEEN, LIKE), that
     * sort, group or search, or that the planner puts in another's place.
     *
     * <p>Expressions of indexes, of partitions and of statistics are evaluated by a read too, as far as they are constant: whoever
     * plans it simplifies them first. Of those of checks immutable functions alone.
     */
    private static final String ALL = """
        SELECT 'I', string_agg(proname, ' ') FROM (SELECT proname FROM pg_proc WHERE pronamespace = 11 AND oid < $U
            GROUP BY proname HAVING bool_and(provolatile = 'i' AND prokind = 'f')) s;
        SELECT 'F', p.oid, p.proname, n.nspname = 'pg_catalog',
            p.pronargs > 0 AND (p.pronargs - p.pronargdefaults <= 1 OR p.provariadic <> 0), p.provolatile, l.lanname,
            CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN left(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), $L)
            WHEN l.lanname = 'c' AND p.prosrc IN ($Q) THEN p.prosrc END
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
            WHERE p.oid >= $U AND $T;
        SELECT 'M', oid, left(pg_get_expr(proargdefaults, 0), $L) FROM pg_proc
            WHERE oid >= $U AND proargdefaults IS NOT NULL;
        SELECT 'A', a.aggfnoid::oid, f.oid, f.oid < $U AND f.provolatile = 'v' FROM pg_aggregate a,
            unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn]::oid[]) part
            JOIN pg_proc f ON f.oid = part WHERE a.aggfnoid::oid >= $U;
        SELECT 'J', f FROM (SELECT oprcode::oid FROM pg_operator o WHERE oid >= $U
            AND (oprname IN ('=', '<>', '<', '<=', '>', '>=', '~~', '!~~', '~~*', '!~~*', '~', '!~')
            OR EXISTS (SELECT FROM pg_amop WHERE amopopr = o.oid)
            OR EXISTS (SELECT FROM pg_operator n WHERE o.oid IN (n.oprcom, n.oprnegate) AND n.oid <> o.oid))
            UNION SELECT castfunc FROM pg_cast WHERE oid >= $U
            UNION SELECT amproc::oid FROM pg_amproc
            UNION SELECT unnest(ARRAY[rngcanonical, rngsubdiff]::oid[]) FROM pg_range
            UNION SELECT found[1]::oid FROM pg_constraint c,
            regexp_matches(c.conbin::text, '[{]FUNCEXPR :funcid ([0-9]+) ', 'g') found WHERE c.contypid <> 0) s(f)
            WHERE f >= $U OR f IN (SELECT oid FROM pg_proc WHERE oid < $U AND provolatile = 'v');
        SELECT 'O', oprname, oprcode::oid FROM pg_operator WHERE oid >= $U;
        SELECT 'Y', t.typname, c.castfunc FROM pg_cast c JOIN pg_type t ON t.oid = c.casttarget WHERE c.castfunc >= $U;
        SELECT 'Y', t.typname, d.refobjid FROM pg_constraint c JOIN pg_type t ON t.oid = c.contypid
            JOIN pg_depend d ON d.classid = 2606 AND d.objid = c.oid AND d.refclassid = 1255;
        SELECT 'B', t.typname, left(pg_get_expr(c.conbin, 0), $L) FROM pg_constraint c JOIN pg_type t ON t.oid = c.contypid
            WHERE c.conbin::text ~ $C;
        SELECT 'W', t.typname, left(pg_get_expr(t.typdefaultbin, 0), $L) FROM pg_type t WHERE t.typtype = 'd'
            AND (t.typdefaultbin::text ~ $C
            OR EXISTS (SELECT FROM pg_depend e WHERE e.classid = 1247 AND e.objid = t.oid AND e.refclassid = 1255));
        WITH RECURSIVE made(type, name, of) AS (
            SELECT t.oid, t.typname, t.typname FROM pg_type t WHERE (t.typtype = 'd' AND t.oid >= $U)
            OR t.oid IN (SELECT casttarget FROM pg_cast WHERE castfunc >= $U)
            UNION SELECT t.oid, t.typname, made.of FROM made JOIN (
                SELECT oid, typbasetype FROM pg_type WHERE typbasetype <> 0
                UNION ALL SELECT oid, typelem FROM pg_type WHERE typelem <> 0
                UNION ALL SELECT rngtypid, rngsubtype FROM pg_range
                UNION ALL SELECT c.reltype, a.atttypid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind = 'c' AND a.attnum > 0) w(whole, part) ON part = made.type JOIN pg_type t ON t.oid = whole)
            SELECT 'C', of, relname FROM made JOIN pg_attribute ON atttypid = made.type JOIN pg_class c ON c.oid = attrelid
            WHERE relkind IN ('r', 'p', 'f') AND attnum > 0 GROUP BY 2, 3
            UNION ALL SELECT 'N', of, name FROM made WHERE of <> name;
        SELECT 'S', c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'S' AND $T GROUP BY 2;
        SELECT 'U', c.relname FROM pg_class c WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'p', 'm') GROUP BY 2;
        SELECT 'E', c.relname FROM pg_class c WHERE c.relkind = 'f' GROUP BY 2;
        SELECT 'R', c.relname FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
            WHERE r.ev_type <> '1' AND c.oid >= $U GROUP BY 2;
        SELECT 'V', c.relname, CASE WHEN count(*) OVER () <= $V THEN left(pg_get_viewdef(c.oid), $L) END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND c.oid >= $U AND $T;
        SELECT 'B', c.relname, left(concat_ws(', ', pg_get_expr(p.polqual, p.polrelid),
            pg_get_expr(p.polwithcheck, p.polrelid)), $L)
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relrowsecurity;
        SELECT 'W', c.relname, left(pg_get_expr(d.adbin, d.adrelid), $L)
            FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid WHERE c.oid >= $U AND (d.adbin::text ~ $C
            OR EXISTS (SELECT FROM pg_depend e WHERE e.classid = 2604 AND e.objid = d.oid AND e.refclassid = 1255));
        SELECT CASE WHEN EXISTS (SELECT FROM pg_depend e JOIN pg_proc p ON p.oid = e.refobjid AND p.provolatile = 'i'
            WHERE e.classid = 2606 AND e.objid = k.oid AND e.refclassid = 1255) THEN 'B' ELSE 'W' END,
            c.relname, left(pg_get_expr(k.conbin, k.conrelid), $L)
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.oid >= $U AND k.contype = 'c'
            AND (k.conbin::text ~ $C
            OR EXISTS (SELECT FROM pg_depend e WHERE e.classid = 2606 AND e.objid = k.oid AND e.refclassid = 1255));
        SELECT 'B', c.relname, left(concat_ws(', ', pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)), $L)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.oid >= $U
            AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
            AND EXISTS (SELECT FROM pg_depend e WHERE e.classid = 1259 AND e.objid = i.indexrelid AND e.refclassid = 1255);
        SELECT 'B', c.relname, left(pg_get_expr(k.partexprs, k.partrelid), $L)
            FROM pg_partitioned_table k JOIN pg_class c ON c.oid = k.partrelid WHERE k.partexprs IS NOT NULL
            AND EXISTS (SELECT FROM pg_depend e WHERE e.classid = 1259 AND e.objid = c.oid AND e.refclassid = 1255);
        SELECT 'B', c.relname, left(pg_get_expr(s.stxexprs, s.stxrelid), $L)
            FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid WHERE s.stxexprs IS NOT NULL
            AND EXISTS (SELECT FROM pg_depend e WHERE e.classid = 3381 AND e.objid = s.oid AND e.refclassid = 1255);
        SELECT 'T', c.relname, t.tgfoid, substring(pg_get_triggerdef(t.oid) FROM ' WHEN \\((.*)\\) EXECUTE ')
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgparentid = 0;
        SELECT 'G', evtfoid FROM pg_event_trigger WHERE evtenabled <> 'D';
        SELECT 'H', p.relname, c.relname, c.relispartition FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
            JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f') GROUP BY 2, 3, 4;
        SELECT 'K', p.relname, c.relname FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid
            JOIN pg_class c ON c.oid = k.conrelid
            WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd')) GROUP BY 2, 3;
        SELECT letter FROM (VALUES ('Z', 'serializable'), ('D', 'repeatable read')) l(letter, level)
            WHERE current_setting('default_transaction_isolation') = level
            OR EXISTS (SELECT FROM pg_db_role_setting, unnest(setconfig) s
                WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                AND s = 'default_transaction_isolation=' || level);
        SELECT 'L' WHERE current_setting('server_encoding') NOT IN ('UTF8', 'SQL_ASCII');
        COMMIT
        """.replace("$C", """
            ('[{]FUNCEXPR :funcid (' || (SELECT string_agg(oid::text, '|') FROM pg_proc WHERE pronamespace = 11
                AND proname ~ '^(set_config|setseed|pg_notify|currval|lastval|pg_.*advisory.*|.*_to_xml.*|ts_stat|ts_rewrite)$') || ') ')\
            """)
            .replace("$Q", "'crosstab', 'crosstab_hash', 'connectby_text', 'connectby_text_serial', 'xpath_table'")
            .replace("$U", Integer.toString(FIRST_USER_OID))
            .replace("$L", Integer.toString(LONGEST_CODE + 1))
            .replace("$V", Integer.toString(MOST_VIEWS))
            .replace("$T", NOT_TEMPORARY);

    /** Asks for {@link #changes} alone. */
    static final String PROBE = BEGIN + CHANGES + "COMMIT";

    static final String FULL = BEGIN + CHANGES + ALL;

    private CatalogQuery() {}

    /** How far the catalogues have changed, for {@link String#equals}; null if the server cannot tell. */
    static @Nullable String changes(List<DataRow> rows) {
        if (rows.isEmpty() || !"P".equals(rows.getFirst().value(0))) {
            throw new ProtocolException("the catalogue's answer begins otherwise");
        }
        return rows.getFirst().value(1);
    }

    /** Reads all code in the answer; takes its time. */
    static Catalog read(List<DataRow> rows) {
        var builder = new CatalogBuilder();
        for (DataRow row : rows) {
            read(row, builder);
        }
        return builder.build();
    }

    private static void read(DataRow row, CatalogBuilder builder) {
        switch (text(row, 0)) {
            case "P" -> {}
            case "I" -> {
                for (String name : text(row, 1).split(" ", -1)) {
                    builder.immutableBuiltIn(name);
                }
            }
            case "F" ->
                builder.function(
                        number(row, 1),
                        text(row, 2),
                        isTrue(row, 3),
                        isTrue(row, 4),
                        text(row, 5).charAt(0),
                        text(row, 6),
                        code(row, 7));
            case "M" -> builder.defaults(number(row, 1), code(row, 2));
            case "J" -> builder.reachedAnywhere(number(row, 1));
            case "A" -> builder.aggregateRuns(number(row, 1), number(row, 2), isTrue(row, 3));
            case "O" -> builder.operator(text(row, 1), number(row, 2));
            case "Y" -> builder.typeRuns(text(row, 1), number(row, 2));
            case "S" -> builder.sequence(text(row, 1));
            case "U" -> builder.unlogged(text(row, 1));
            case "E" -> builder.foreign(text(row, 1));
            case "R" -> builder.ruled(text(row, 1));
            case "V" -> {
                String definition = code(row, 2);
                if (definition == null) {
                    builder.unread(text(row, 1));
                } else {
                    builder.view(text(row, 1), definition);
                }
            }
            case "B" -> {
                String policy = code(row, 2);
                if (policy == null) {
                    builder.unread(text(row, 1));
                } else if (!policy.isEmpty()) {
                    builder.evaluatedAlways(text(row, 1), policy);
                }
            }
            case "W" -> onWrite(builder, text(row, 1), code(row, 2));
            case "T" -> {
                builder.trigger(text(row, 1), number(row, 2));
                String condition = row.value(3);
                if (condition != null) {
                    builder.evaluatedOnWrite(text(row, 1), condition);
                }
            }
            case "G" -> builder.eventTrigger(number(row, 1));
            case "H" -> {
                if (isTrue(row, 3)) {
                    builder.partition(text(row, 1), text(row, 2));
                } else {
                    builder.child(text(row, 1), text(row, 2));
                }
            }
            case "C" -> builder.column(text(row, 1), text(row, 2));
            case "N" -> builder.derivedType(text(row, 1), text(row, 2));
            case "K" -> builder.cascade(text(row, 1), text(row, 2));
            case "Z" -> builder.serializable();
            case "D" -> builder.repeatableRead();
            case "L" -> builder.foldsLetters();
            default -> throw new ProtocolException("not asked of the catalogue: " + row.value(0));
        }
    }

    private static void onWrite(CatalogBuilder builder, String relation, @Nullable String expression) {
        if (expression == null) {
            builder.ruled(relation);
        } else if (!expression.isEmpty()) {
            builder.evaluatedOnWrite(relation, expression);
        }
    }

    private static String text(DataRow row, int column) {
        String value = row.value(column);
        if (value == null) {
            throw new ProtocolException("NULL in the catalogue's answer");
        }
        return value;
    }

    private static long number(DataRow row, int column) {
        return Long.parseLong(text(row, column));
    }

    private static boolean isTrue(DataRow row, int column) {
        return "t".equals(row.value(column));
    }

    /** Code that was not cut off; null where it was, or is none. */
    private static @Nullable String code(DataRow row, int column) {
        String value = row.value(column);
        return value == null || value.length() > LONGEST_CODE ? null : value;
    }
}
