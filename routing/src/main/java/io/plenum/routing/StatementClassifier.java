package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import java.util.Arrays;
import java.util.Objects;

/**
 * Confined to its event loop: says what a text of SQL is. One pass over at most {@value #LIMIT} bytes, no recursion, no
 * allocation but for its own two arrays, which grow up to a bound.
 *
 * <p>It is no parser: it proves that a statement reads only, and says {@link Target#PRIMARY} where it cannot. A text
 * that PostgreSQL refuses as a syntax error does nothing on any node, so only what PostgreSQL accepts matters. A query
 * is a read when it
 *
 * <ul>
 *   <li>begins with SELECT, WITH, VALUES, TABLE or a parenthesis, or is the EXPLAIN of such;
 *   <li>holds none of the words INSERT, UPDATE, DELETE, MERGE, INTO and no locking clause, except as a name behind AS
 *       or a dot;
 *   <li>calls no function but those known to be harmless: a name before a parenthesis that is neither a word of the
 *       grammar nor an alias with its columns is a call;
 *   <li>names nothing that begins with {@code pg_}, and not {@code information_schema}.
 * </ul>
 *
 * <p>What cannot be seen in the text is not seen without a {@link Catalog}: functions behind operators, casts, views, row
 * security, domains, the attribute notation {@code row.function}, and functions of users that have the name of a built-in; a
 * sequence that is read like a table ({@code last_value} gives it away, {@code *} does not); unlogged and foreign tables; and
 * with one neither a {@code search_path} that leads to the system's schemas. For the session's state: what DO, CALL and functions of users
 * do inside.
 *
 * <p>What outlives the transaction in the session is told apart: settings, which can be {@linkplain
 * Reason#changesSettings() followed}, from what {@linkplain Reason#pins() ties} the client to its server. What ends such
 * a tie counts with what makes it: a text cannot show whether an advisory lock is left.
 *
 * <p>A text is one statement after the other; {@link StatementStart} reads the first words of one, {@link StatementBody} the
 * rest. What cannot be trusted is read once more as an {@link UntrustedText}.
 */
public final class StatementClassifier {
    /** How much of a text is looked at, in bytes. */
    public static final int LIMIT = 256 * 1024;

    private static final byte[] NOTHING = {};

    private final CatalogCursor tokens = new CatalogCursor();
    private final UntrustedText untrusted = new UntrustedText(tokens.scanner());
    private final StatementStart statement;
    private final BatchFold texts = new BatchFold();
    private byte[] copy = NOTHING;
    /** So much of the copy may still hold what clients said. */
    private int copied;

    private int traits;

    /** Statements of the text, those that are empty apart, and what the last of them is about a transaction. */
    private int statements;

    private TransactionCommand command = TransactionCommand.NONE;

    // The COMMIT or ROLLBACK that the text begins with, if more follows: where its first word begins, and behind its
    // semicolon.
    private int endBegin;
    private int endBehind;

    public StatementClassifier() {
        this(false);
    }

    /**
     * {@code stored} for what the database itself holds: who defines a view asks {@code current_setting} for what the
     * client has set.
     */
    StatementClassifier(boolean stored) {
        statement = new StatementStart(tokens, stored);
    }

    /** The same for a text that can be trusted, of a database whose catalogue nobody looks into. */
    public Reason classify(ByteBuf sql, int start, int end) {
        return classify(sql, start, end, true, Catalog.OFF);
    }

    /**
     * What the text in {@code [start, end)} is, without its terminating zero. The reader index of the buffer plays no
     * part and stays; nothing of the buffer is kept.
     *
     * <p>Of several statements: READ if all are; BEGIN READ ONLY or plain BEGIN if that comes first and nothing but
     * reads, modes and ends of transactions follow; else the most telling reason of all.
     *
     * @param safeText false if the client's encoding is one of those in which a byte below 128 can be part of a longer
     *     character (SJIS, BIG5, GBK, GB18030, UHC, JOHAB, SHIFT_JIS_2004), or {@code standard_conforming_strings} is
     *     off: then the answer is {@link Reason#UNSAFE_TEXT} at least, and one that {@linkplain Reason#pins() pins}
     *     where a word that may leave state in the session stands anywhere, in a string too, but for the SET or RESET
     *     that the text begins with
     * @param catalog what the names mean of the database that the text is for
     */
    public Reason classify(ByteBuf sql, int start, int end, boolean safeText, Catalog catalog) {
        Objects.checkFromToIndex(start, Math.max(start, end), sql.capacity());
        traits = 0;
        tokens.lookInto(catalog);
        int length = Math.max(0, Math.min(end - start, LIMIT)); // a text without its zero may end before it begins
        if (sql.hasArray()) {
            int from = sql.arrayOffset() + start;
            over(sql.array(), from, from + length);
        } else {
            if (copy.length < length) {
                copy = new byte[Math.min(LIMIT, Math.max(1024, Integer.highestOneBit(length) << 1))];
            }
            sql.getBytes(start, copy, 0, length);
            copied = Math.max(copied, length);
            over(copy, 0, length);
        }
        int from = tokens.end();
        Reason reason = text();
        endBegin -= from;
        endBehind -= from;
        if (!safeText) {
            traits &= ~Traits.ONLY_SETTINGS;
            command = TransactionCommand.NONE;
            endBehind = -1;
            Reason found = untrusted.read(); // what pins may hide behind a change of settings too
            traits |= untrusted.traits();
            reason = reason.pins() ? reason : reason.or(found);
        }
        tokens.clear();
        if (length < end - start) {
            traits &= ~Traits.ONLY_SETTINGS;
            traits |= Traits.RUNS_UNKNOWN_CODE | Traits.CHANGES_SESSION;
            reason = reason.or(Reason.TOO_LONG);
            command = TransactionCommand.NONE;
            endBehind = -1;
        }
        return reason;
    }

    /** Nothing of what was classified is left in memory: to be called now and then, for each time would cost too much. */
    public void wipe() {
        Arrays.fill(copy, 0, copied, (byte) 0);
        copied = 0;
    }

    private void over(byte[] text, int start, int end) {
        tokens.over(text, start, end);
        RoutingHint hint = RoutingHint.at(text, start, end);
        if (hint != null) {
            traits |= switch (hint) {
                case AUTO -> 0;
                case PRIMARY -> Traits.HINTS_PRIMARY;
                case REPLICA -> Traits.HINTS_REPLICA;
            };
        }
    }

    /** The {@link Traits} of the text that was classified last. */
    public int traits() {
        return traits;
    }

    /** What the text that was classified last is about a transaction, if it is nothing else and can be trusted. */
    public TransactionCommand command() {
        return statements == 1 ? command : TransactionCommand.NONE;
    }

    /**
     * Where that word begins in the text which was classified last that ends the transaction in front of all else, from its
     * beginning; only where there is one ({@link #endBehind}).
     */
    public int endBegin() {
        return endBegin;
    }

    /** Where it goes on behind the semicolon of that statement; negative where there is none such, or it stands alone. */
    public int endBehind() {
        return statements > 1 ? endBehind : -1;
    }

    private Reason text() {
        texts.clear();
        boolean onlySettings = true;
        boolean endsTransaction = false;
        statements = 0;
        command = TransactionCommand.NONE;
        endBehind = -1;
        do {
            int from = tokens.end();
            tokens.beginStatement();
            boolean empty = tokens.ended();
            onlySettings &= empty || isSetting(tokens.term());
            Reason reason = statement.read();
            traits |= statement.traits();
            endsTransaction |= reason == Reason.TRANSACTION_END;
            if (!empty) {
                statements++;
                command = statement.command();
                if (statements == 1 && reason == Reason.TRANSACTION_END && command.ends()) {
                    endBegin = tokens.scanner().begin(from);
                    endBehind = tokens.end();
                }
            }
            texts.add(reason);
        } while (tokens.token() == Token.SEMICOLON);
        if (onlySettings && (traits & Traits.RUNS_UNKNOWN_CODE) == 0) {
            traits |= Traits.ONLY_SETTINGS;
        }
        if (endsTransaction && statements > 1) {
            traits |= Traits.ENDS_TRANSACTION;
        }
        return texts.reason();
    }

    private static boolean isSetting(Term first) {
        return first == Term.SET || first == Term.RESET || first == Term.SHOW;
    }
}
