package io.plenum.pooler.config;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What one entry of [databases], [users] or [peers] sets; what it leaves out is inherited. Shows no secret. */
public final class Overrides {
    static final Overrides NONE = new Overrides(Map.of());

    private final Map<Setting<?>, Object> values;

    Overrides(Map<Setting<?>, Object> values) {
        this.values = Map.copyOf(values);
    }

    /** The value set here, or null if it is inherited. */
    @SuppressWarnings("unchecked") // put in by Entries, which reads each value with the values of its own row
    public <T> @Nullable T get(Setting<T> setting) {
        return (T) values.get(setting);
    }

    <T> T or(Setting<T> setting, T inherited) {
        T own = get(setting);
        return own == null ? inherited : own;
    }

    public Set<Setting<?>> settings() {
        return values.keySet();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Overrides overrides && values.equals(overrides.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.keySet().stream()
                .collect(Collectors.toMap(Setting::name, this::shown, (first, _) -> first, TreeMap::new))
                .toString();
    }

    private <T> String shown(Setting<T> setting) {
        T value = get(setting);
        return value == null ? "" : String.valueOf(setting.show(value));
    }
}
