package io.plenum.pooler.config;

import io.plenum.pooler.config.HbaRule.AddressRange;
import io.plenum.pooler.config.HbaRule.Kind;
import io.plenum.pooler.config.HbaRule.Names;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * The rules of {@code auth_hba_file}, top down: the first that matches decides, and where none does nobody gets in.
 *
 * <p>Syntax as PostgreSQL's pg_hba.conf. Refused with file and line: whatever needs to know a role's memberships
 * ({@code +group}, {@code samerole}) or a name's addresses, and all that is not understood, for a line that were passed
 * over would leave its clients to the next one. Immutable; any thread.
 */
public final class HbaRules {
    public static final HbaRules NONE = new HbaRules(List.of());

    static final int LARGEST_FILE = 16 << 20;

    private static final int DEEPEST_FILE = 10;

    private final List<HbaRule> rules;

    private HbaRules(List<HbaRule> rules) {
        this.rules = List.copyOf(rules);
    }

    /**
     * The first rule that is about this login, null when there is none.
     *
     * @param address of the client; null at a Unix socket
     */
    public @Nullable HbaRule find(
            @Nullable InetAddress address,
            boolean encrypted,
            String database,
            String user,
            boolean physicalReplication) {
        for (HbaRule rule : rules) {
            if (rule.matches(address, encrypted, database, user, physicalReplication)) {
                return rule;
            }
        }
        return null;
    }

    public List<HbaRule> rules() {
        return rules;
    }

    /** Reads the text of an hba file and tells {@code findings} what is wrong or doubtful. Blocks for the files that it names. */
    static HbaRules parse(Path file, String text, Findings findings) {
        List<HbaRule> rules = new ArrayList<>();
        for (RuleTokens line : RuleTokens.withIncluded(file, text, findings)) {
            HbaRule rule = new LineReader(line, findings).read();
            if (rule != null) {
                rules.add(rule);
            }
            if (findings.isFull()) {
                break;
            }
        }
        return new HbaRules(rules);
    }

    /** Every map that a rule names, with the first line that does. */
    Map<String, Integer> maps() {
        Map<String, Integer> maps = new HashMap<>();
        for (HbaRule rule : rules) {
            if (rule.map() != null) {
                maps.putIfAbsent(rule.map(), rule.line());
            }
        }
        return maps;
    }

    /** Reads one line. */
    private static final class LineReader {
        private final RuleTokens line;
        private final Findings findings;
        private boolean wrong;

        LineReader(RuleTokens line, Findings findings) {
            this.line = line;
            this.findings = findings;
        }

        @Nullable
        HbaRule read() {
            Kind kind = kind(line.next());
            if (kind == null) {
                return null;
            }
            Names databases = names("database", line.list(), true);
            Names users = names("user", line.list(), false);
            List<AddressRange> addresses = kind == Kind.LOCAL || wrong ? List.of() : addresses();
            RuleTokens.Word word = wrong ? null : line.next();
            if (word == null) {
                return fault("the line ends where its method is expected");
            }
            LoginMethod method = LoginMethod.ofHba(word.text());
            if (kind == Kind.LOCAL && word.text().equals("ident")) {
                method = LoginMethod.PEER; // as in PostgreSQL
            }
            if (method == null) {
                return fault(Findings.quote(word.text()) + " is no method; allowed: trust, reject, md5, scram-sha-256,"
                        + " password, cert, peer, ldap, pam");
            }
            check(kind, method, word.text());
            return options(kind, databases, users, addresses, method);
        }

        private @Nullable Kind kind(RuleTokens.@Nullable Word word) {
            for (Kind kind : Kind.values()) {
                if (word != null && word.is(kind.word())) {
                    return kind;
                }
            }
            String text = word == null ? "," : word.text();
            fault(Findings.quote(text) + " is no kind of line; allowed: local, host, hostssl, hostnossl, hostgssenc,"
                    + " hostnogssenc, include, include_if_exists, include_dir");
            return null;
        }

        private void check(Kind kind, LoginMethod method, String word) {
            if (kind == Kind.HOSTGSSENC) {
                findings.warn(
                        line.file(), line.line(), "there is no GSSAPI encryption here, so hostgssenc means nobody");
            }
            if (method == LoginMethod.PEER && kind != Kind.LOCAL) {
                fault("peer needs a Unix socket, so it stands in a line of the kind local");
            } else if (method == LoginMethod.CERT && kind != Kind.HOSTSSL) {
                // PostgreSQL refuses the line; PgBouncer takes it, and so whoever comes without TLS is turned away.
                findings.warn(line.file(), line.line(), "cert needs TLS, so only hostssl lets anybody in");
            } else if (method == LoginMethod.UNSUPPORTED) {
                findings.warn(
                        line.file(), line.line(), word + " is not in this release; whom the line means is refused");
            }
        }

        private @Nullable HbaRule options(
                Kind kind, Names databases, Names users, List<AddressRange> addresses, LoginMethod method) {
            List<RuleTokens.Word> rest = line.rest();
            String map = null;
            LdapOptions ldap = null;
            if (method == LoginMethod.LDAP) {
                try {
                    ldap = LdapOptions.of(
                            rest.stream().map(RuleTokens.Word::text).toList());
                } catch (InvalidValueException e) {
                    return fault("ldap: " + e.getMessage());
                }
            } else if (method != LoginMethod.UNSUPPORTED) {
                for (RuleTokens.Word option : rest) {
                    boolean takesMap = method == LoginMethod.CERT || method == LoginMethod.PEER;
                    if (takesMap && option.text().startsWith("map=")) {
                        map = option.text().substring("map=".length());
                    } else if (method != LoginMethod.CERT || !option.text().equals("clientname=CN")) {
                        return fault(Findings.quote(option.text()) + " is no option of " + method.word()
                                + (takesMap ? "; allowed: map=NAME" : "; it has none"));
                    }
                }
            }
            return wrong ? null : new HbaRule(line.line(), kind, databases, users, addresses, method, map, ldap);
        }

        private @Nullable HbaRule fault(String message) {
            if (!wrong) {
                findings.fault(line.file(), line.line(), message);
            }
            wrong = true;
            return null;
        }

        // --- names -------------------------------------------------------------------------------------------------

        private Names names(String column, List<RuleTokens.Word> words, boolean database) {
            var found = new FoundNames();
            if (words.isEmpty()) {
                fault("the line ends, or a comma stands alone, where a " + column + " is expected");
            }
            for (RuleTokens.Word word : words) {
                take(found, word, line.file(), database, 0);
            }
            return new Names(
                    found.all, found.same, found.replication, Set.copyOf(found.names), List.copyOf(found.patterns));
        }

        private static final class FoundNames {
            private boolean all;
            private boolean same;
            private boolean replication;
            private final Set<String> names = new HashSet<>();
            private final List<Pattern> patterns = new ArrayList<>();
        }

        private void take(FoundNames found, RuleTokens.Word word, Path in, boolean database, int depth) {
            if (word.is("all")) {
                found.all = true;
            } else if (database && word.is("sameuser")) {
                found.same = true;
            } else if (database && word.is("replication")) {
                found.replication = true;
            } else if ((database && (word.is("samerole") || word.is("samegroup"))) || (!database && word.begins("+"))) {
                fault(Findings.quote(word.text()) + " needs the memberships of roles, which a pooler does not know");
            } else if (word.begins("@")) {
                takeFile(found, word.text().substring(1), in, database, depth);
            } else if (word.text().startsWith("/")) {
                try {
                    found.patterns.add(Pattern.compile(word.text().substring(1)));
                } catch (PatternSyntaxException e) {
                    fault(Findings.quote(word.text()) + " is no regular expression: " + e.getDescription());
                }
            } else {
                found.names.add(word.text());
            }
        }

        /** Relative to the file that names it, as in PostgreSQL. */
        private void takeFile(FoundNames found, String name, Path in, boolean database, int depth) {
            if (depth == DEEPEST_FILE) {
                fault("@" + name + " is named by itself, or by too many files in turn");
                return;
            }
            try {
                Path path = in.resolveSibling(name);
                String text = TextFile.read(path, LARGEST_FILE);
                for (RuleTokens names : RuleTokens.of(path, text, findings)) {
                    for (RuleTokens.Word word : names.rest()) {
                        take(found, word, path, database, depth + 1);
                    }
                }
            } catch (IOException | InvalidPathException e) {
                fault("@" + name + " " + e.getMessage());
            }
        }

        // --- addresses ---------------------------------------------------------------------------------------------

        private List<AddressRange> addresses() {
            RuleTokens.Word word = line.next();
            if (word == null) {
                fault("the line ends where an address is expected");
                return List.of();
            }
            if (word.is("all")) {
                return List.of();
            }
            if (word.is("samehost") || word.is("samenet")) {
                return ofThisMachine(word.is("samenet"));
            }
            int slash = word.text().indexOf('/');
            InetAddress address = literal(slash < 0 ? word.text() : word.text().substring(0, slash));
            if (address == null) {
                fault(Findings.quote(word.text()) + " is no address; allowed: all, samehost, samenet, ADDRESS/BITS,"
                        + " ADDRESS MASK; host names are not looked up");
                return List.of();
            }
            byte[] base = address.getAddress();
            byte[] mask = slash < 0
                    ? mask(base.length)
                    : bits(
                            word.text().substring(slash + 1),
                            base.length,
                            word.text().contains(":"));
            if (mask == null) {
                fault("the mask of " + Findings.quote(word.text())
                        + " is missing or does not fit; allowed: ADDRESS/BITS" + " or ADDRESS MASK");
                return List.of();
            }
            for (int i = 0; i < base.length; i++) {
                if ((base[i] & ~mask[i]) != 0) {
                    findings.warn(
                            line.file(), line.line(), "address " + word.text() + " has bits that its mask leaves out");
                    break;
                }
            }
            return List.of(new AddressRange(base, mask));
        }

        private byte @Nullable [] mask(int length) {
            RuleTokens.Word word = line.next();
            InetAddress mask = word == null ? null : literal(word.text());
            return mask == null || mask.getAddress().length != length ? null : mask.getAddress();
        }

        /** {@code six} says that the address is written as IPv6's; one of IPv4 in that form has 96 bits in front. */
        private static byte @Nullable [] bits(String text, int length, boolean six) {
            int count = text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : Integer.MAX_VALUE;
            int before = six && length == 4 ? 96 : 0;
            return count < before || count - before > 8 * length ? null : ones(count - before, length);
        }

        private static byte[] ones(int count, int length) {
            byte[] mask = new byte[length];
            for (int i = 0; i < length; i++) {
                int ones = Math.clamp(count - 8L * i, 0, 8);
                mask[i] = (byte) (0xff << (8 - ones));
            }
            return mask;
        }

        private static @Nullable InetAddress literal(String text) {
            try {
                return InetAddress.ofLiteral(text);
            } catch (IllegalArgumentException e) {
                return null;
            }
        }

        /** The addresses that this machine has now, each alone or with its network. */
        private List<AddressRange> ofThisMachine(boolean network) {
            List<AddressRange> ranges = new ArrayList<>();
            try {
                for (NetworkInterface card :
                        NetworkInterface.networkInterfaces().toList()) {
                    for (InterfaceAddress address : card.getInterfaceAddresses()) {
                        byte[] base = address.getAddress().getAddress();
                        int ones = network ? address.getNetworkPrefixLength() : 8 * base.length;
                        ranges.add(new AddressRange(base, ones(ones, base.length)));
                    }
                }
            } catch (SocketException e) {
                fault("the addresses of this machine cannot be read: " + e.getMessage());
            }
            if (ranges.isEmpty()) {
                fault("this machine has no address"); // an empty list would mean every address
            }
            return ranges;
        }
    }

    @Override
    public String toString() {
        return "HbaRules["
                + Arrays.toString(rules.stream().mapToInt(HbaRule::line).toArray()) + "]";
    }
}
