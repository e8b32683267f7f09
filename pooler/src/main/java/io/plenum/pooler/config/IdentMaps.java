package io.plenum.pooler.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * The name maps of {@code auth_ident_file}: who a certificate or a Unix socket proves to be, and as whom they may log in.
 *
 * <p>Syntax as PostgreSQL's pg_ident.conf: {@code MAP SYSTEM-USER DATABASE-USER}, any number of lines a map. A system user
 * that begins with a slash is a regular expression, whose first group stands for {@code \1} in the database user; a
 * database user may be {@code all}, or a regular expression itself. Immutable; any thread.
 */
public final class IdentMaps {
    public static final IdentMaps NONE = new IdentMaps(Map.of());

    private static final String GROUP = "\\1";

    private final Map<String, List<Entry>> maps;

    private IdentMaps(Map<String, List<Entry>> maps) {
        this.maps = maps;
    }

    /** One line; of each of the two names either the text or the pattern counts. */
    private record Entry(
            String system,
            @Nullable Pattern systemPattern,
            boolean all,
            String user,
            @Nullable Pattern userPattern) {

        boolean allows(String systemName, String userName) {
            String expected = user;
            if (systemPattern == null) {
                if (!system.equals(systemName)) {
                    return false;
                }
            } else {
                Matcher matcher = systemPattern.matcher(systemName);
                if (!matcher.find()) {
                    return false;
                }
                if (userPattern == null && user.contains(GROUP)) {
                    String group = matcher.group(1);
                    expected = user.replace(GROUP, group == null ? "" : group);
                }
            }
            return all
                    || (userPattern == null
                            ? expected.equals(userName)
                            : userPattern.matcher(userName).find());
        }
    }

    /** Whether the map lets this system user log in as that database user; one that does not exist lets nobody. */
    public boolean allows(String map, String systemUser, String databaseUser) {
        return maps.getOrDefault(map, List.of()).stream().anyMatch(entry -> entry.allows(systemUser, databaseUser));
    }

    Set<String> names() {
        return maps.keySet();
    }

    /** Reads the text of an ident file and tells {@code findings} what is wrong. */
    static IdentMaps parse(Path file, String text, Findings findings) {
        Map<String, List<Entry>> maps = new HashMap<>();
        for (RuleTokens line : RuleTokens.withIncluded(file, text, findings)) {
            RuleTokens.Word map = line.next();
            RuleTokens.Word system = line.next();
            RuleTokens.Word user = line.next();
            if (map == null || system == null || user == null || !line.rest().isEmpty()) {
                findings.fault(line.file(), line.line(), "a line has a map's name, a system user and a database user");
                continue;
            }
            Entry entry = entry(line.file(), line.line(), system, user, findings);
            if (entry != null) {
                maps.computeIfAbsent(map.text(), _ -> new ArrayList<>()).add(entry);
            }
        }
        return new IdentMaps(Map.copyOf(maps));
    }

    private static @Nullable Entry entry(
            Path file, int line, RuleTokens.Word system, RuleTokens.Word user, Findings findings) {
        if (user.begins("+")) {
            findings.fault(
                    file,
                    line,
                    Findings.quote(user.text()) + " needs the memberships of roles, which a pooler does not know");
            return null;
        }
        try {
            Pattern systemPattern = pattern(system);
            Pattern userPattern = pattern(user);
            boolean hasGroup =
                    systemPattern != null && systemPattern.matcher("").groupCount() > 0;
            if (userPattern == null && user.text().contains(GROUP) && !hasGroup) {
                findings.fault(
                        file,
                        line,
                        Findings.quote(user.text()) + " refers to a group, and the system user "
                                + Findings.quote(system.text()) + " has none");
                return null;
            }
            return new Entry(system.text(), systemPattern, user.is("all"), user.text(), userPattern);
        } catch (PatternSyntaxException e) {
            findings.fault(
                    file,
                    line,
                    Findings.quote("/" + e.getPattern()) + " is no regular expression: " + e.getDescription());
            return null;
        }
    }

    private static @Nullable Pattern pattern(RuleTokens.Word word) {
        return word.text().startsWith("/") ? Pattern.compile(word.text().substring(1)) : null;
    }
}
