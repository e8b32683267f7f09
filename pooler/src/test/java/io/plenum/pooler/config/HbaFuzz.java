package io.plenum.pooler.config;

import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.plenum.pooler.config.HbaRule.AddressRange;
import io.plenum.pooler.config.HbaRule.Names;
import io.plenum.pooler.fuzz.Execution;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A pg_hba.conf, and the name maps of a pg_ident.conf. */
public final class HbaFuzz {
    private static final Path FILE = Path.of("nowhere/hba.conf");

    private static final List<String> NAMES = List.of("", "all", "ada", "app", "replication", "a b", "x".repeat(63));

    private HbaFuzz() {}

    /** Called by the fuzzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        // No file of this machine: some of them never end.
        String text = new String(input, StandardCharsets.UTF_8).replace('@', 'a');
        Execution.of(input, () -> {
            rules(text);
            maps(text);
        });
    }

    private static void rules(String text) {
        HbaRules rules = HbaRules.parse(FILE, text, new Findings());
        if (rules.rules().stream().anyMatch(rule -> rule.ldap() != null || rule.method() == LoginMethod.UNSUPPORTED)) {
            return; // of these the rule keeps less than its line says
        }
        String printed = print(rules);
        var findings = new Findings();
        HbaRules again = HbaRules.parse(FILE, printed, findings);
        demandSame(findings.faults(), List.of(), "what was written is refused: " + printed);
        demandSame(printed, print(again), "not what was written");
        for (String database : NAMES) {
            for (InetAddress address :
                    List.of(InetAddress.ofLiteral("10.1.2.3"), InetAddress.ofLiteral("2001:db8::7"))) {
                demandSame(
                        method(rules.find(address, true, database, "ada", false)),
                        method(again.find(address, true, database, "ada", false)),
                        "another rule is found");
            }
            demandSame(
                    method(rules.find(null, false, "app", database, true)),
                    method(again.find(null, false, "app", database, true)),
                    "another rule is found");
        }
    }

    private static String method(@Nullable HbaRule rule) {
        return rule == null ? "none" : rule.method() + " " + rule.map();
    }

    private static String print(HbaRules rules) {
        StringBuilder text = new StringBuilder();
        for (HbaRule rule : rules.rules()) {
            if (rule.addresses().size() <= 1) {
                print(rule, rule.addresses().isEmpty() ? null : rule.addresses().getFirst(), text);
            } else { // of this machine
                rule.addresses().forEach(range -> print(rule, range, text));
            }
        }
        return text.toString();
    }

    private static void print(HbaRule rule, @Nullable AddressRange range, StringBuilder text) {
        text.append(rule.kind().word());
        print(rule.databases(), text.append(' '));
        print(rule.users(), text.append(' '));
        if (rule.kind() != HbaRule.Kind.LOCAL) {
            text.append(' ').append(range == null ? "all" : literal(range.base()) + " " + literal(range.mask()));
        }
        text.append(' ').append(rule.method().word());
        if (rule.map() != null) {
            text.append(' ').append(quoted("map=" + rule.map()));
        }
        text.append('\n');
    }

    private static void print(Names names, StringBuilder text) {
        var words = new TreeSet<String>();
        if (names.all()) {
            words.add("all");
        }
        if (names.same()) {
            words.add("sameuser");
        }
        if (names.replication()) {
            words.add("replication");
        }
        names.names().forEach(name -> words.add(quoted(name)));
        names.patterns().forEach(pattern -> words.add(quoted("/" + pattern.pattern())));
        text.append(String.join(",", words));
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\"", "\"\"") + "\"";
    }

    private static String literal(byte[] address) {
        try {
            return InetAddress.getByAddress(address).getHostAddress();
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static void maps(String text) {
        IdentMaps maps = IdentMaps.parse(FILE, text, new Findings());
        for (String map : maps.names()) {
            for (String name : NAMES) {
                maps.allows(map, name, "ada");
                maps.allows(map, "ada", name);
            }
        }
    }
}
