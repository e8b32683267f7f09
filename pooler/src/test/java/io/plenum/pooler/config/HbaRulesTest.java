package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The first line that matches decides, as in PostgreSQL. */
class HbaRulesTest {
    private static final Path FILE = Path.of("hba.conf");

    private static final String RULES = """
        # comment
        local      all        all                                  peer map=m
        hostssl    all        all            10.0.0.0/8             cert
        hostnossl  all        all            11.0.0.0/8             md5
        host       all        all            127.0.0.0  255.255.255.0  password   # behind it
        host       one        all            0.0.0.0/0              scram-sha-256
        host       all        ann            15.0.0.0/8             trust
        host       x,all      ann, bob ,cyd  16.0.0.0/8             md5
        host       "all"      "all"          19.0.0.0/8             trust
        host       "q1""q2"   "a , b"        19.0.0.0/8             md5
        host       sameuser   all            20.0.0.0/8             md5
        host       mdb        all            ff20::/12              md5
        host       mdb        all            ::1/128                trust
        host       anywhere   all            all                    md5
        host       nowhere    all            all                    reject
        host       odd        all            all                    gss include_realm=0
        host       replication,both  rep     ::1/128                trust
        host       "replication"     dan     ::1/128                trust
        host       /^r[0-9]+$ /^u            21.0.0.0/8             trust
        """;

    private static final HbaRules PARSED = parsed(RULES);

    private static HbaRules parsed(String text) {
        var findings = new Findings();
        HbaRules rules = HbaRules.parse(FILE, text, findings);
        assertThat(findings.faults()).isEmpty();
        return rules;
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            value = {
                "any, ann, unix, false, peer",
                "any, ann, 10.1.1.1, true, cert",
                "any, ann, 10.1.1.1, false, none",
                "any, ann, 11.1.1.1, true, none",
                "any, ann, 11.1.1.1, false, md5",
                "any, zed, 127.0.0.9, true, password",
                "any, zed, 127.0.1.9, true, none",
                "one, zed, 127.0.1.9, false, scram-sha-256",
                "one2, zed, 127.0.1.9, false, none",
                "any, ann, 15.200.0.1, false, trust",
                "any, bob, 15.200.0.1, false, none",
                "any, ann, 16.0.0.1, false, md5",
                "any, bob, 16.0.0.1, false, md5",
                "any, cyd, 16.0.0.1, false, md5",
                "any, dan, 16.0.0.1, false, none",
                "any, dan, 19.0.0.1, false, none",
                "all, all, 19.0.0.1, false, trust",
                "q1\"q2, 'a , b', 19.0.0.1, false, md5",
                "ann, ann, 20.0.0.1, false, md5",
                "bob, ann, 20.0.0.1, false, none",
                "mdb, ann, ff22:3::1, false, md5",
                "mdb, ann, ff32:3::1, false, none",
                "mdb, ann, ::1, true, trust",
                "mdb, ann, ::2, true, none",
                "anywhere, ann, face::1, false, md5",
                "anywhere, ann, 1.2.3.4, false, md5",
                "nowhere, ann, 1.2.3.4, false, reject",
                "odd, ann, 1.2.3.4, false, unsupported",
                "r12, ulf, 21.0.0.1, false, trust",
                "r12, ann, 21.0.0.1, false, none",
                "r1x, ulf, 21.0.0.1, false, none"
            })
    void firstLineThatMatchesDecides(String database, String user, String address, boolean tls, String method) {
        assertThat(method(PARSED, database, user, address, tls, false)).isEqualTo(method);
    }

    @ParameterizedTest
    @CsvSource({
        "mdb, rep, true, trust",
        "replication, rep, true, trust",
        "both, rep, true, trust",
        "both, rep, false, trust",
        "replication, rep, false, none",
        "mdb, dan, true, none",
        "replication, dan, false, trust",
        "mdb, ann, true, none"
    })
    void physicalReplicationIsMeantByItsKeywordAlone(String database, String user, boolean replication, String method) {
        assertThat(method(PARSED, database, user, "::1", false, replication)).isEqualTo(method);
    }

    private static String method(
            HbaRules rules, String database, String user, String address, boolean tls, boolean replication) {
        @Nullable InetAddress from = address.equals("unix") ? null : InetAddress.ofLiteral(address);
        HbaRule rule = rules.find(from, tls, database, user, replication);
        return rule == null ? "none" : rule.method().word();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hosts all all 1.2.3.4/32 md5",
                "host all all 1.2.3.4 md5",
                "host all all 1.2.3.4/33 md5",
                "host all all 1.2.3.4/x md5",
                "host all all example.org md5",
                "host all all 1.2.3.4/32",
                "host all all 1.2.3.4/32 mdfive",
                "host all all 1.2.3.4/32 md5 map=x",
                "host all all 1.2.3.4/32 peer",
                "host all all ::1 255.0.0.0 md5",
                "host all, all 1.2.3.4/32 md5",
                "host all +staff 1.2.3.4/32 md5",
                "host samerole all 1.2.3.4/32 md5",
                "host @nowhere all 1.2.3.4/32 md5",
                "host all /( 1.2.3.4/32 md5",
                "host all all 1.2.3.4/32 ldap ldapserver=x",
                "host all \"all 1.2.3.4/32 md5"
            })
    void lineThatIsNotUnderstoodIsRefusedWithItsNumber(String line) {
        var findings = new Findings();
        HbaRules rules = HbaRules.parse(FILE, "# first\n" + line + "\nlocal all all peer\n", findings);

        assertThat(findings.faults()).hasSize(1);
        assertThat(findings.faults().getFirst().line()).isEqualTo(2);
        assertThat(rules.rules()).hasSize(1);
    }

    @Test
    void namesMayStandInAFile(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("staff"), "ann # boss\nbob, \"cyd\"\n@more\n");
        Files.writeString(directory.resolve("more"), "dan\n");
        var findings = new Findings();

        HbaRules rules = HbaRules.parse(directory.resolve("hba.conf"), "host all @staff,eve 1.2.3.4/32 md5", findings);

        assertThat(findings.faults()).isEmpty();
        for (String user : new String[] {"ann", "bob", "cyd", "dan", "eve"}) {
            assertThat(method(rules, "any", user, "1.2.3.4", false, false))
                    .as(user)
                    .isEqualTo("md5");
        }
        assertThat(method(rules, "any", "fay", "1.2.3.4", false, false)).isEqualTo("none");
    }

    @Test
    void fileThatNamesItselfIsRefused(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("loop"), "@loop\n");
        var findings = new Findings();

        HbaRules.parse(directory.resolve("hba.conf"), "host all @loop 1.2.3.4/32 md5", findings);

        assertThat(findings.faults()).hasSize(1);
    }

    @Test
    void linesOfIncludedFilesStandWhereTheyAreIncluded(@TempDir Path directory) throws Exception {
        Path more = Files.createDirectory(directory.resolve("more.d"));
        Files.writeString(directory.resolve("one"), "host one all all md5\ninclude_dir \"more.d\"\n");
        Files.writeString(more.resolve("b.conf"), "host two all all password\n");
        Files.writeString(more.resolve("a.conf"), "host two,three all all scram-sha-256\n");
        Files.writeString(more.resolve("c.txt"), "host nonsense\n");
        var findings = new Findings();

        HbaRules rules = HbaRules.parse(directory.resolve("hba.conf"), """
            host one all ::1/128 reject
            include one
            include_if_exists nowhere
            host all all all trust
            """, findings);

        assertThat(findings.faults()).isEmpty();
        assertThat(method(rules, "one", "ann", "::1", false, false)).isEqualTo("reject");
        assertThat(method(rules, "one", "ann", "::2", false, false)).isEqualTo("md5");
        assertThat(method(rules, "two", "ann", "::2", false, false)).isEqualTo("scram-sha-256");
        assertThat(method(rules, "four", "ann", "::2", false, false)).isEqualTo("trust");
    }

    @ParameterizedTest
    @ValueSource(strings = {"include nowhere", "include", "include a b", "include_dir nowhere", "include itself"})
    void fileThatCannotBeIncludedIsAFault(String line, @TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("itself"), "include itself\n");
        var findings = new Findings();

        HbaRules.parse(directory.resolve("hba.conf"), line + "\nhost all all all trust\n", findings);

        assertThat(findings.faults()).hasSize(1);
    }

    @Test
    void addressOfIpv4MayBeWrittenAsOneOfIpv6() {
        HbaRules rules = parsed("host all all ::ffff:1.2.3.4/120 md5\n");

        assertThat(method(rules, "one", "ann", "1.2.3.9", false, false)).isEqualTo("md5");
        assertThat(method(rules, "one", "ann", "1.2.4.4", false, false)).isEqualTo("none");
    }

    @Test
    void nobodyIsEncryptedByGssapi() {
        HbaRules rules = parsed("hostgssenc all all all trust\nhostnogssenc one all all md5\n");

        assertThat(method(rules, "one", "ann", "::1", true, false)).isEqualTo("md5");
        assertThat(method(rules, "two", "ann", "::1", true, false)).isEqualTo("none");
    }

    @Test
    void identAtAUnixSocketIsPeer() {
        HbaRules rules = parsed("local all all ident map=m\nhost all all all ident\n");

        assertThat(method(rules, "one", "ann", "unix", false, false)).isEqualTo("peer");
        assertThat(method(rules, "one", "ann", "::1", false, false)).isEqualTo("unsupported");
    }

    @Test
    void ownAddressIsSameHost() {
        HbaRules rules = parsed("host all all samehost trust\nhost all all samenet md5\n");

        assertThat(method(rules, "any", "ann", "127.0.0.1", false, false)).isEqualTo("trust");
        assertThat(method(rules, "any", "ann", "127.0.0.77", false, false)).isEqualTo("md5");
        assertThat(method(rules, "any", "ann", "203.0.113.9", false, false)).isEqualTo("none");
    }

    @Test
    void lineGoesOnBehindABackslash() {
        HbaRules rules = parsed("host all \\\n all 1.2.3.4/32 md5\nhost all all all trust\n");

        assertThat(rules.rules()).extracting(HbaRule::line).containsExactly(1, 3);
    }

    @Test
    void mapsSayWhoMayBeWhom() {
        var findings = new Findings();
        IdentMaps maps = IdentMaps.parse(FILE, """
            # MAP SYSTEM DATABASE
            m   ann           boss
            m   ann           "clerk"
            m   /^(.*)@corp$  \\1
            m   /^root        all
            n   bob           /^dev_
            """, findings);

        assertThat(findings.faults()).isEmpty();
        assertThat(maps.allows("m", "ann", "boss")).isTrue();
        assertThat(maps.allows("m", "ann", "clerk")).isTrue();
        assertThat(maps.allows("m", "ann", "ann")).isFalse();
        assertThat(maps.allows("m", "cyd@corp", "cyd")).isTrue();
        assertThat(maps.allows("m", "cyd@corp", "dan")).isFalse();
        assertThat(maps.allows("m", "cyd@corp.org", "cyd")).isFalse();
        assertThat(maps.allows("m", "rooted", "whoever")).isTrue();
        assertThat(maps.allows("n", "bob", "dev_1")).isTrue();
        assertThat(maps.allows("n", "bob", "prod")).isFalse();
        assertThat(maps.allows("n", "ann", "boss")).isFalse();
        assertThat(maps.allows("nowhere", "ann", "ann")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"m ann", "m ann boss more", "m ann +staff", "m /( boss", "m ann \\1", "m /^x$ \\1"})
    void mapThatIsNotUnderstoodIsRefused(String line) {
        var findings = new Findings();

        IdentMaps.parse(FILE, "\n" + line, findings);

        assertThat(findings.faults()).hasSize(1);
        assertThat(findings.faults().getFirst().line()).isEqualTo(2);
    }

    /** Whatever stands in the files: a line becomes a rule or a fault, and nobody's login fails by an exception. */
    @Test
    void anythingIsReadOrRefused() {
        String[] pieces = {
            "local",
            "host",
            "hostssl",
            "all",
            "sameuser",
            "replication",
            "@x",
            "+y",
            "/",
            "/(",
            "/a|b",
            ",",
            "\"",
            "\"\"",
            "#",
            "\\",
            "\n",
            "\\\n",
            "\0",
            "\u00e4",
            "1.2.3.4",
            "/32",
            "/999999999999",
            "::1/128",
            "255.0.0.0",
            "fe80::1%1",
            "samenet",
            "md5",
            "trust",
            "cert",
            "ldap",
            "map=",
            "map=m",
            "ldapurl=ldap://",
            "ldapurl=\"ldap://h:99999/\"",
            "ldapurl=ldap://[/?#",
            "ldapport=-1",
            "=",
            "ldapserver=%zz ldapbasedn=%zz",
            "\\1"
        };
        var random = new SplittableRandom(17);
        for (int i = 0; i < 20_000; i++) {
            var text = new StringBuilder();
            for (int words = random.nextInt(14); words > 0; words--) {
                text.append(pieces[random.nextInt(pieces.length)]).append(random.nextInt(4) == 0 ? "" : " ");
            }
            var findings = new Findings();
            HbaRules rules = HbaRules.parse(FILE, text.toString(), findings);
            IdentMaps maps = IdentMaps.parse(FILE, text.toString(), findings);
            rules.find(InetAddress.ofLiteral("1.2.3.4"), false, "a", "b", false);
            rules.find(null, false, "all", "all", true);
            maps.allows("local", "a", "b");
            try {
                LdapOptions.parse(text.toString());
            } catch (InvalidValueException refused) {
                assertThat(refused.getMessage()).isNotEmpty();
            }
        }
    }

    @Test
    void ldapUrlSaysTheSameAsItsOptions() throws Exception {
        LdapOptions url = LdapOptions.parse("ldapurl=\"ldap://h:12/dc=example,dc=net?cn?sub?\"");
        LdapOptions words = LdapOptions.parse(
                "ldapserver=h ldapport=12, \"ldapbasedn\"=\"dc=example,dc=net\"" + " ldapsearchattribute=cn");

        assertThat(url).isEqualTo(words);
        assertThat(url.servers()).containsExactly("ldap://h:12");
        assertThat(LdapOptions.parse("ldapurl=\"ldaps://h/dc=n??sub?(|(uid=$username)(mail=$username))\"")
                        .searchFilter())
                .isEqualTo("(|(uid=$username)(mail=$username))");
        assertThat(LdapOptions.parse("ldapserver=\"a b\" ldapprefix=\"uid=\" ldapsuffix=\",dc=n\" ldapscheme=ldaps")
                        .servers())
                .containsExactly("ldaps://a:636", "ldaps://b:636");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ldapserver=h",
                "ldapbasedn=x",
                "ldapserver=h ldapprefix=a ldapbasedn=b",
                "ldapserver=h ldapbasedn=b ldapsearchattribute=a ldapsearchfilter=f",
                "ldapserver=h ldapbasedn=b ldapport=0",
                "ldapserver=h ldapbasedn=b wibble=1",
                "ldapserver=h ldapbasedn=\"b",
                "ldapurl=http://h/b",
                "ldapurl=ldap://h/b?a?deep"
            })
    void ldapOptionsThatCannotBeMeantAreRefused(String text) {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> LdapOptions.parse(text))
                .isInstanceOf(InvalidValueException.class);
    }
}
