package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldif.LDIFException;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Logins that an LDAP server decides. */
@ExtendWith(LeakWatch.class)
class LdapIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final String BASE = "dc=example,dc=net";

    /** PostgreSQL wants its password too, so whoever gets through shows that it is passed on. */
    private static final String USER = "password_user";

    private static InMemoryDirectoryServer directory;

    @TempDir
    private Path files;

    @BeforeAll
    static void startDirectory() throws LDAPException, LDIFException {
        var config = new InMemoryDirectoryServerConfig(BASE);
        config.setListenerConfigs(
                InMemoryListenerConfig.createLDAPConfig("ldap", InetAddress.ofLiteral("127.0.0.1"), 0, null));
        config.addAdditionalBindCredentials("cn=reader", "may read");
        directory = new InMemoryDirectoryServer(config);
        directory.add("dn: " + BASE, "objectClass: top", "objectClass: domain", "dc: example");
        for (var user : new String[] {USER, "twin"}) {
            directory.add(
                    "dn: uid=" + user + "," + BASE,
                    "objectClass: inetOrgPerson",
                    "uid: " + user,
                    "cn: " + user,
                    "sn: x",
                    "mail: twins@example.net",
                    "userPassword: " + user);
        }
        directory.startListening();
    }

    @AfterAll
    static void stopDirectory() {
        directory.shutDown(true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ldapserver=127.0.0.1 ldapport=%d ldapprefix=\"uid=\" ldapsuffix=\",dc=example,dc=net\"",
                "ldapserver=127.0.0.1 ldapport=%d ldapbasedn=\"dc=example,dc=net\"",
                "ldapserver=127.0.0.1 \"ldapport\"=%d ldapbasedn=\"dc=example,dc=net\" ,ldapsearchattribute=cn",
                "ldapserver=127.0.0.1 ldapport=%d ldapbasedn=\"dc=example,dc=net\" ldapsearchfilter=\"uid=$username\"",
                "ldapserver=127.0.0.1 ldapport=%d ldapbasedn=\"dc=example,dc=net\" ldapbinddn=\"cn=reader\""
                        + " ldapbindpasswd=\"may read\"",
                "ldapurl=\"ldap://127.0.0.1:%d/dc=example,dc=net?uid?sub\"",
                "ldapurl=\"ldap://127.0.0.1:%d/dc=example,dc=net??sub?(|(uid=$username)(cn=$username))\""
            })
    void rightPasswordGetsInAndThrough(String options) throws Exception {
        hba("host all all all ldap " + options.formatted(directory.getListenPort()));
        try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
            assertThat(outcome(pooler, USER, USER)).isEqualTo("in");
            assertThat(outcome(pooler, USER, "wrong")).startsWith("28P01");
            assertThat(outcome(pooler, "nobody", USER)).startsWith("28P01");
            assertThat(outcome(pooler, "*", USER)).startsWith("28P01");
            assertThat(outcome(pooler, USER + "," + BASE, USER)).startsWith("28P01");
        }
    }

    @Test
    void optionsMayStandInTheSettings() throws Exception {
        String url = "ldapurl=\"ldap://127.0.0.1:%d/dc=example,dc=net?uid?sub\"".formatted(directory.getListenPort());
        try (var pooler = start("auth_type = ldap", "auth_ldap_options = " + url)) {
            assertThat(outcome(pooler, USER, USER)).isEqualTo("in");
            assertThat(outcome(pooler, USER, "wrong")).startsWith("28P01");
            // LDAP takes no password for no proof, and a bind
            assertThat(outcome(pooler, USER, "")).isEqualTo("28P01 empty password returned by client");
        }
    }

    @Test
    void nameThatTwoEntriesHaveIsNobodys() throws Exception {
        hba("host all all all ldap ldapurl=\"ldap://127.0.0.1:%d/dc=example,dc=net?mail?sub\""
                .formatted(directory.getListenPort()));
        try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
            assertThat(outcome(pooler, "twins@example.net", USER)).startsWith("28P01");
        }
    }

    @Test
    void serverThatIsAwayOrSpeaksNoTlsLetsNobodyIn() throws Exception {
        for (var options : new String[] {
            "ldapserver=127.0.0.1 ldapport=1 ldapbasedn=\"dc=example,dc=net\"",
            "ldapserver=127.0.0.1 ldapport=%d ldaptls=1 ldapbasedn=\"dc=example,dc=net\"",
            "ldapurl=\"ldaps://127.0.0.1:%d/dc=example,dc=net?uid?sub\""
        }) {
            hba("host all all all ldap " + options.formatted(directory.getListenPort()));
            try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
                assertThat(outcome(pooler, USER, USER)).startsWith("28P01");
            }
        }
    }

    @Test
    void firstServerThatAnswersDecides() throws Exception {
        // nothing listens on the first address, for the directory has but one
        hba("host all all all ldap ldapserver=\"127.0.0.77 127.0.0.1\" ldapport=%d ldapbasedn=\"dc=example,dc=net\""
                .formatted(directory.getListenPort()));
        try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
            assertThat(outcome(pooler, USER, USER)).isEqualTo("in");
        }
    }

    private void hba(String rules) throws IOException {
        Files.writeString(files.resolve("hba.conf"), rules + "\n");
    }

    private RunningPooler start(String... settings) {
        return RunningPooler.start(SERVER, files, settings);
    }

    private static String outcome(RunningPooler pooler, String user, String password) throws IOException {
        try (var client = RunningPooler.wire(pooler.port(), Map.of("user", user), password)) {
            return client.value("SELECT session_user").equals(user) ? "in" : "odd";
        } catch (ServerErrorException refused) {
            return refused.sqlState() + " " + refused.response().field('M');
        }
    }
}
