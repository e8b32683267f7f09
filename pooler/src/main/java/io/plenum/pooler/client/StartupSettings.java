package io.plenum.pooler.client;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.wire.AsciiCase;
import io.plenum.wire.startup.StartupParameters;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** The settings with which a session is to start: of what the client asks for and of what its database's entry says. */
final class StartupSettings {
    /** What PgBouncer keeps for each client, and so takes out of {@code options} too where it passes over what else is there. */
    private static final Set<String> TRACKED = Set.of(
            "client_encoding",
            "datestyle",
            "timezone",
            "standard_conforming_strings",
            "application_name",
            "intervalstyle");

    private StartupSettings() {}

    /** By name in lower case; {@code place} says where the client is. */
    static Map<String, String> of(
            StartupParameters asked, PoolerConfig config, DatabaseConfig database, Supplier<String> place) {
        Map<String, String> settings = new LinkedHashMap<>();
        // The entry's own win over nothing but silence.
        put(settings, "client_encoding", config.get(Settings.DATABASE_CLIENT_ENCODING, database));
        put(settings, "datestyle", config.get(Settings.DATABASE_DATESTYLE, database));
        put(settings, "timezone", config.get(Settings.DATABASE_TIMEZONE, database));
        put(settings, "application_name", config.get(Settings.DATABASE_APPLICATION_NAME, database));
        Set<String> ignored = lowerCase(config.get(Settings.IGNORE_STARTUP_PARAMETERS));
        settings.putAll(ignored.contains("options") ? asked.settings(tracked(config)) : asked.settings());
        if (config.get(Settings.APPLICATION_NAME_ADD_HOST)) {
            settings.put("application_name", settings.getOrDefault("application_name", "app") + " - " + place.get());
        }
        settings.keySet().removeAll(ignored);
        return settings;
    }

    private static Set<String> tracked(PoolerConfig config) {
        Set<String> tracked = lowerCase(config.get(Settings.TRACK_EXTRA_PARAMETERS));
        tracked.addAll(TRACKED);
        return tracked;
    }

    private static Set<String> lowerCase(List<String> names) {
        Set<String> lower = new HashSet<>();
        names.forEach(name -> lower.add(AsciiCase.lower(name)));
        return lower;
    }

    private static void put(Map<String, String> settings, String name, String value) {
        if (!value.isEmpty()) {
            settings.put(name, value);
        }
    }
}
