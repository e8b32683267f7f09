package io.plenum.pooler.config;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What {@code auth_type = hba} goes by: the rules and the name maps that they refer to. Immutable; any thread. */
public record LoginRules(HbaRules hba, IdentMaps maps) {
    public static final LoginRules NONE = new LoginRules(HbaRules.NONE, IdentMaps.NONE);

    /** A file as a setting names it; {@code path} has been located, {@code writtenIn} and {@code line} name it. */
    record Source(Path path, String name, Path writtenIn, int line) {}

    /**
     * Reads both files, either of which may be missing. Blocks for them.
     *
     * @param needed false with another auth_type: then a fault in them is a doubt only, and nobody gets in by them
     */
    static LoginRules read(@Nullable Source hbaFile, @Nullable Source identFile, boolean needed, Findings findings) {
        if (hbaFile == null) {
            return NONE;
        }
        Findings found = needed ? findings : new Findings();
        String hbaText = text(Settings.AUTH_HBA_FILE, hbaFile, found);
        HbaRules hba = hbaText == null ? HbaRules.NONE : HbaRules.parse(hbaFile.path(), hbaText, found);
        IdentMaps maps = IdentMaps.NONE;
        String identText = identFile == null ? null : text(Settings.AUTH_IDENT_FILE, identFile, found);
        if (identFile != null && identText != null) {
            maps = IdentMaps.parse(identFile.path(), identText, found);
        }
        for (var map : hba.maps().entrySet()) {
            if (!maps.names().contains(map.getKey())) {
                found.warn(
                        hbaFile.path(),
                        map.getValue(),
                        "map " + Findings.quote(map.getKey()) + " is not in auth_ident_file, so it lets nobody in");
            }
        }
        if (needed || found.faults().isEmpty()) {
            return new LoginRules(hba, maps);
        }
        Fault first = found.faults().getFirst();
        findings.warn(
                first.file(),
                first.line(),
                "is not used while auth_type is not hba, and would be refused: " + first.message());
        return NONE;
    }

    private static @Nullable String text(Setting<String> setting, Source source, Findings findings) {
        try {
            return TextFile.read(source.path(), HbaRules.LARGEST_FILE);
        } catch (IOException | InvalidPathException e) {
            findings.fault(
                    source.writtenIn(),
                    source.line(),
                    setting.name() + " = " + Findings.quote(source.name()) + " " + e.getMessage());
            return null;
        }
    }
}
