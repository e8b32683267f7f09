package io.plenum.pooler.link;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.Reason;
import io.plenum.routing.SessionChanges;
import io.plenum.wire.AsciiCase;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the statements of a client may have left in its server's session, from the moment they are sent until the server
 * itself has said what became of it.
 *
 * <p>A text tells which settings it changes, not to what: PostgreSQL spells values its own way, and a rollback takes them
 * back. So the names are noted, and when the transaction is over one question of ours, behind the client's last reply, asks
 * for the values; the same question asks whether the session still holds what a text was seen to put there: prepared
 * statements, cursors, temporary objects, locks, registrations. Made for a link when it is first needed; confined to its
 * event loop.
 */
final class SessionTrace implements SessionChanges.Sink {
    /** More names than this in one transaction are not followed: the client keeps its server. */
    private static final int MOST_NAMES = 256;

    private static final String SEED = "seed";
    private static final String ROLE = "role";
    private static final String AUTHORIZATION = "session_authorization";

    /** Between two channels in one text. */
    private static final String SEPARATOR = "\u0001";

    /** What may live in a backend, in the order of {@link #HOLDINGS_SQL}; behind it come the channels and their mark. */
    private static final Reason[] HOLDINGS = {
        Reason.SQL_PREPARE, Reason.HOLD_CURSOR, Reason.TEMPORARY_OBJECT, Reason.SESSION_LOCK
    };

    private static final String HOLDINGS_SQL = """
        EXISTS(SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql),\
        EXISTS(SELECT FROM pg_catalog.pg_cursors WHERE is_holdable),\
        EXISTS(SELECT FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) 2615 \
        AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()),\
        EXISTS(SELECT FROM pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory' \
        AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()),\
        pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.pg_listening_channels()), pg_catalog.chr(1)),\
        pg_catalog.current_setting('plenum.listening', true)\
        """;

    /** What is to be done about a setting when the transaction is over. */
    private enum Change {
        ASK,
        /** It went back to the value of the session's start. */
        RESET
    }

    private final StatementEffects effects;
    private final Map<String, Change> changes = new LinkedHashMap<>();
    private boolean holdingsDoubted;
    private boolean rolledBack;
    private boolean unnamed;
    private boolean parsing;
    private @Nullable IntFunction<@Nullable String> parameters;
    private final List<String> channels = new ArrayList<>();
    private boolean unlistens;
    private boolean listens;
    private boolean listeningHere;
    /** The names of the question that is on its way; null when there is none. */
    private @Nullable List<String> asked;

    private boolean askedForHoldings;

    /** The values that were asked for come as {@link HexText}. */
    private boolean askedForHex;

    /** Whether the question that is on its way tells if something went back to the server's start. */
    private boolean askedForResets;

    SessionTrace(StatementEffects effects) {
        this.effects = effects;
    }

    // --- what a text says ------------------------------------------------------------------------------------------

    @Override
    public void set(String setting) {
        parsing |= SessionSettings.isParsing(setting);
        if (setting.equals(SEED)) {
            unnamed = true; // it cannot be asked for, nor taken back
        } else if (effects.isReported(setting)) {
            changes.remove(setting); // PostgreSQL says by itself what becomes of it
        } else {
            note(setting, Change.ASK);
        }
    }

    @Override
    public void reset(String setting) {
        parsing |= SessionSettings.isParsing(setting);
        note(setting, Change.RESET);
        effects.onReset();
    }

    @Override
    public void resetAll() {
        parsing = true;
        for (SessionSettings settings : List.of(effects.clientSettings(), effects.startSettings())) {
            settings.forEach((name, value) -> {
                if (!isRole(name)) { // manual, RESET: neither SET ROLE nor SET SESSION AUTHORIZATION is undone by ALL
                    note(name, Change.RESET);
                }
            });
        }
        changes.replaceAll((name, change) -> isRole(name) ? change : Change.RESET);
        if (asked != null) { // what they hold is told in front of this, and is not the session's any more behind it
            for (String name : asked) {
                if (!isRole(name)) {
                    note(name, Change.RESET);
                }
            }
        }
        effects.onReset();
    }

    @Override
    public void discardAll() { // which is never part of a transaction: PostgreSQL's tag says that it ran
        parsing = true;
        effects.onSequencesDiscarded();
    }

    @Override
    public void discardSequences() {
        effects.onSequencesDiscarded();
    }

    @Override
    public void listen(String channel) {
        channels.add(channel);
    }

    @Override
    public void unlisten(String channel) {
        unlistenAll();
    }

    @Override
    public void unlistenAll() {
        unlistens = true;
    }

    @Override
    public void setNamedBy(int parameter) {
        String name = parameters == null ? null : parameters.apply(parameter);
        if (name == null) {
            unnamed = true;
        } else {
            SessionChanges.tellNamed(name, this);
        }
    }

    /** The values of the text that is about to be read, by number from 1; null where none are at hand. */
    void bound(@Nullable IntFunction<@Nullable String> parameters) {
        this.parameters = parameters;
    }

    @Override
    public void unknown() {
        parsing = true;
        unnamed = true;
    }

    private void note(String setting, Change change) {
        if (changes.size() < MOST_NAMES || changes.containsKey(setting)) {
            changes.put(setting, change);
        } else {
            unnamed = true;
        }
    }

    private static boolean isRole(String name) {
        return name.equals(ROLE) || name.equals(AUTHORIZATION);
    }

    /** PostgreSQL has told of another value, in an encoding that is not read here. */
    void onUnread(String setting) {
        note(AsciiCase.lower(setting), Change.ASK);
    }

    /** Whether a text changed settings that it does not name; asking this ends it. */
    boolean takeUnnamed() {
        boolean was = unnamed;
        unnamed = false;
        return was;
    }

    /** Whether a text changed settings that texts are parsed by; asking this ends it. */
    boolean takeParsing() {
        boolean was = parsing;
        parsing = false;
        return was;
    }

    /** Whether some of those have changed, and to what is not known yet. */
    boolean isParsingUnsettled() {
        return changes.keySet().stream().anyMatch(SessionSettings::isParsing);
    }

    /** Whether the question tells when that for which a client keeps its server is gone. */
    static boolean isTold(Reason pin) {
        return pin == Reason.LISTEN || List.of(HOLDINGS).contains(pin);
    }

    /** Whether what pins may be gone by a statement that ended so. */
    static boolean mayEndPin(@Nullable CommandTag tag) {
        return switch (tag) {
            case DELETE, DECLARE_CURSOR, DO, RESET, RELEASE -> false;
            case null, default -> true; // DROP, DEALLOCATE, CLOSE, DISCARD, UNLISTEN, ROLLBACK
        };
    }

    /** Whether what was to go back did so is for the server to tell. */
    void doubtResets() {
        rolledBack |= hasResets();
    }

    /** Whether a setting has changed, and to what is not known yet. */
    boolean isUnsettled(String setting) {
        return changes.containsKey(setting) || (asked != null && asked.contains(setting));
    }

    /** Whether some of what was sent failed or was rolled back. */
    boolean isRolledBack() {
        return rolledBack;
    }

    boolean hasResets() {
        return changes.containsValue(Change.RESET);
    }

    /** The channels that a text listens to; asking this ends it. */
    List<String> takeChannels() {
        if (channels.isEmpty()) {
            return List.of();
        }
        List<String> taken = List.copyOf(channels);
        channels.clear();
        return taken;
    }

    /** Whether a text gives up channels; asking this ends it. */
    boolean takeUnlistens() {
        boolean was = unlistens;
        unlistens = false;
        return was;
    }

    /** Whether statements were sent since the last question that change the channels. */
    boolean changesChannels() {
        return listens || listeningHere;
    }

    /** A LISTEN was sent. */
    void onListen() {
        listens = true;
        holdingsDoubted = true;
    }

    /** Whether the session was registered for the client's channels since the last question. */
    boolean isListeningHere() {
        return listeningHere;
    }

    void onListeningHere() {
        listeningHere = true;
        holdingsDoubted = true;
    }

    /** A text was sent that puts something into the backend or takes it out. */
    void doubtHoldings() {
        holdingsDoubted = true;
    }

    /** Whether such a text was sent since the last question, whose answer so does not tell of it. */
    boolean doubtsHoldings() {
        return holdingsDoubted;
    }

    // --- what the server says --------------------------------------------------------------------------------------

    /** A statement of the client ended. */
    void onTag(@Nullable CommandTag tag) {
        if (tag == CommandTag.ROLLBACK) { // to a savepoint, or of all
            rolledBack |= isOpen();
        } else if (tag == CommandTag.DISCARD_ALL) {
            rolledBack |= isOpen(); // of what was sent before and behind it, only the server knows which
        }
    }

    /** A statement of the client failed: what it or its transaction changed may have been taken back. */
    void onError() {
        rolledBack |= isOpen();
    }

    /** The settings that a RESET took to the server's start although the session's own is another. */
    List<String> resetTo(SessionSettings start) {
        List<String> names = new ArrayList<>();
        changes.forEach((name, change) -> {
            if (change == Change.RESET && start.get(name) != null) {
                names.add(name);
            }
        });
        return names;
    }

    /** We set them again to the session's own start, in the client's transaction. */
    void onRestarted(List<String> names) {
        names.forEach(name -> changes.put(name, Change.ASK));
    }

    // --- the question ----------------------------------------------------------------------------------------------

    /** Whether the settings of the session depend on an answer that is on its way. */
    boolean isAskedForResets() {
        return askedForResets;
    }

    /** Whether the session may hold what only the server can tell. */
    boolean isOpen() {
        return asked != null || holdingsDoubted || !changes.isEmpty();
    }

    /** Nothing is known, and nobody will ask: the session is given up or scrubbed. */
    void forget() {
        changes.clear();
        holdingsDoubted = false;
        rolledBack = false;
        unnamed = false;
        parsing = false;
        channels.clear();
        unlistens = false;
        listens = false;
        listeningHere = false;
        askedForResets = false;
        asked = null;
    }

    /**
     * Between transactions, nothing being owed: applies what is certain and asks the rest.
     *
     * @return whether a question was appended to what is sent to the server
     */
    boolean ask(ServerConnection server) {
        if (!rolledBack) {
            changes.forEach((name, change) -> {
                if (change == Change.RESET) {
                    server.assumeSettings(server.settings().without(name));
                    effects.onSettled(name, effects.startSettings().get(name));
                }
            });
            changes.values().removeIf(change -> change == Change.RESET);
        }
        if (changes.isEmpty() && !holdingsDoubted) {
            rolledBack = false;
            return false;
        }
        List<String> names = List.copyOf(changes.keySet());
        send(server, names);
        asked = names;
        askedForHoldings = holdingsDoubted;
        askedForResets = hasResets();
        listens = false;
        listeningHere = false;
        changes.clear();
        holdingsDoubted = false;
        rolledBack = false;
        return true;
    }

    /** One value for each name, NULL where the session has none of its own, and one boolean for each of the holdings. */
    private void send(ServerConnection server, List<String> names) {
        var sql = new StringBuilder("SELECT ");
        List<byte @Nullable []> parameters = new ArrayList<>();
        askedForHex = !effects.speaksUtf8();
        for (String name : names) {
            int number = parameters.size() + 1;
            if (rolledBack) {
                // Whether the value is the session's own costs a look at all settings: only where it may have gone
                // back.
                // The view does not show roles, nor settings that no module has defined, which have a dot in their
                // name.
                sql.append(("CASE WHEN EXISTS(SELECT FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name)"
                    + " OPERATOR(pg_catalog.=) $%1$d AND source OPERATOR(pg_catalog.=) 'session') OR ($%1$d"
                    + " OPERATOR(pg_catalog.~) '[.]|^role$|^session_authorization$' AND NOT EXISTS(SELECT FROM"
                    + " pg_catalog.pg_settings WHERE pg_catalog.lower(name) OPERATOR(pg_catalog.=) $%1$d)) THEN ")
                        .formatted(number));
            }
            sql.append(askedForHex ? "pg_catalog.encode(pg_catalog.convert_to(" : "");
            sql.append("pg_catalog.current_setting($").append(number).append(",true)");
            sql.append(askedForHex ? ",'UTF8'),'hex')" : "");
            sql.append(rolledBack ? " END," : ",");
            parameters.add(name.getBytes(StandardCharsets.UTF_8));
        }
        if (holdingsDoubted) {
            sql.append(HOLDINGS_SQL);
        } else {
            sql.setLength(sql.length() - 1);
        }
        server.sendOwn(sql.toString(), parameters, this);
    }

    /** The answer. */
    void onRow(ServerConnection server, DataRow row) {
        List<String> names = asked;
        if (names == null) {
            return;
        }
        asked = null;
        askedForResets = false;
        int column = 0;
        for (String name : names) {
            String value = row.value(column);
            if (value != null && askedForHex) {
                value = HexText.read(value);
            }
            column++;
            server.assumeSettings(
                    value == null
                            ? server.settings().without(name)
                            : server.settings().with(name, value));
            effects.onSettled(name, value == null ? effects.startSettings().get(name) : value);
        }
        if (!askedForHoldings) {
            return;
        }
        Reason held = null;
        for (Reason holding : HOLDINGS) {
            if (held == null && "t".equals(row.value(column))) {
                held = holding;
            }
            column++;
        }
        String registered = row.value(column);
        boolean exactly = "on".equals(row.value(column + 1));
        List<String> listening =
                registered == null || registered.isEmpty() ? List.of() : List.of(registered.split(SEPARATOR, -1));
        effects.onHoldings(held, listening, exactly);
    }

    /** The question failed, by a timeout of the client's own making: what the session holds is not known. */
    void onFailed() {
        asked = null;
        askedForResets = false;
    }

    /** For the log. */
    @Override
    public String toString() {
        return "SessionTrace" + AsciiCase.lower(changes.keySet().toString());
    }
}
