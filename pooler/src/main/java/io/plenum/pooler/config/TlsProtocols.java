package io.plenum.pooler.config;

import io.plenum.wire.AsciiCase;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The TLS versions that a setting allows, in the words of PgBouncer's libtls: {@code secure}, {@code all}, or versions with
 * commas or colons between, where {@code !} takes one out.
 */
final class TlsProtocols {
    private enum Version {
        V1_0("TLSv1"),
        V1_1("TLSv1.1"),
        V1_2("TLSv1.2"),
        V1_3("TLSv1.3");

        private final String javaName;

        Version(String javaName) {
            this.javaName = javaName;
        }
    }

    private static final Set<Version> ALL = EnumSet.allOf(Version.class);
    private static final Set<Version> SECURE = EnumSet.of(Version.V1_2, Version.V1_3);

    private TlsProtocols() {}

    /** The versions by Java's names, oldest first; null when a word is not known or nothing is left. */
    static @Nullable List<String> parse(String text) {
        Set<Version> chosen = EnumSet.noneOf(Version.class);
        for (String part : text.split("[,:]", -1)) {
            String word = AsciiCase.lower(part.strip());
            boolean without = word.startsWith("!");
            Set<Version> named = named(without ? word.substring(1).strip() : word);
            if (named == null) {
                return null;
            }
            if (without) {
                if (chosen.isEmpty()) {
                    chosen.addAll(ALL);
                }
                chosen.removeAll(named);
            } else {
                chosen.addAll(named);
            }
        }
        List<String> names = new ArrayList<>();
        chosen.forEach(version -> names.add(version.javaName));
        return names.isEmpty() ? null : names;
    }

    private static @Nullable Set<Version> named(String word) {
        return switch (word) {
            case "all", "legacy", "tlsv1" -> ALL;
            case "secure", "default" -> SECURE;
            case "tlsv1.0" -> EnumSet.of(Version.V1_0);
            case "tlsv1.1" -> EnumSet.of(Version.V1_1);
            case "tlsv1.2" -> EnumSet.of(Version.V1_2);
            case "tlsv1.3" -> EnumSet.of(Version.V1_3);
            default -> null;
        };
    }
}
