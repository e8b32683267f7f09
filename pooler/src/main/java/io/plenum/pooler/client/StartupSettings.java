package io.plenum.pooler.client;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.wire.startup.StartupParameters;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** The settings with which a session is to start: of what the client asks for and of what its database's entry says. */
final class StartupSettings {
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
        settings.putAll(asked.settings());
        if (config.get(Settings.APPLICATION_NAME_ADD_HOST)) {
            settings.put("application_name", settings.getOrDefault("application_name", "app") + " - " + place.get());
        }
        settings.keySet().removeAll(ignored);
        return settings;
    }

    private static Set<String> lowerCase(List<String> names) {
        Set<String> lower = new HashSet<>();
        names.forEach(name -> lower.add(name.toLowerCase(Locale.ROOT)));
        return lower;
    }

    private static void put(Map<String, String> settings, String name, String value) {
        if (!value.isEmpty()) {
            settings.put(name, value);
        }
    }
}
