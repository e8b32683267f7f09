package io.plenum.pooler.server;

import io.plenum.wire.ProtocolException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a server has reported of itself and of its session, at its start and since; and by that and by what it was sent, the settings that
 * the session has. Confined to the server's event loop.
 */
final class ReportedParameters {
    /** Parameters that a server may report; PostgreSQL has some fifteen. */
    private static final int MOST = 256;

    private final Map<String, String> startValues = new LinkedHashMap<>();
    private SessionSettings settings = SessionSettings.NONE;
    private boolean settingsKnown = true;
    private boolean standby;
    private boolean superuser;

    /** The server reports a value before its login is done. */
    void onStart(String name, String value) {
        startValues.put(name, value);
        requireFew(startValues.size());
        note(name, value);
    }

    /** The server reports another value than before. */
    void onChange(String name, String value) {
        note(name, value);
        if (SessionSettings.isSettable(name)) {
            settings = value.equals(startValues.get(name)) ? settings.without(name) : settings.with(name, value);
            requireFew(settings.size());
        }
    }

    private void note(String name, String value) {
        switch (name) {
            case "in_hot_standby" -> standby = value.equals("on");
            case "is_superuser" -> superuser = value.equals("on");
            default -> {}
        }
    }

    /** What a server reports is kept, so it must not be without end. */
    private static void requireFew(int parameters) {
        if (parameters > MOST) {
            throw new ProtocolException("more than " + MOST + " parameters reported");
        }
    }

    /** By name as the server spells them. */
    Map<String, String> startValues() {
        return startValues;
    }

    /** Whether the server reports this setting when it changes, and a session may set it; in lower case. */
    boolean has(String setting) {
        for (String name : startValues.keySet()) {
            if (name.equalsIgnoreCase(setting)) {
                return SessionSettings.isSettable(name);
            }
        }
        return false;
    }

    SessionSettings settings() {
        return settings;
    }

    void assume(SessionSettings settings) {
        this.settings = settings;
    }

    /** The session has those of its start again; {@code hadMore} says that we had set some that were not told of. */
    void onDiscardAll(boolean hadMore) {
        settings = SessionSettings.NONE;
        settingsKnown &= !hadMore;
    }

    /** False once DISCARD ALL undid what connect_query had set: then only a new session is what it should be. */
    boolean areSettingsKnown() {
        return settingsKnown;
    }

    boolean isStandby() {
        return standby;
    }

    boolean isSuperuser() {
        return superuser;
    }
}
