package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.LdapOptions;
import org.junit.jupiter.api.Test;

class LdapCheckTest {
    @Test
    void nameInAFilterIsOnlyAName() throws Exception {
        LdapOptions uid = LdapOptions.parse("ldapserver=h ldapbasedn=\"dc=x\"");
        LdapOptions own = LdapOptions.parse(
                "ldapserver=h ldapbasedn=\"dc=x\"" + " ldapsearchfilter=\"(|(uid=$username)(mail=$username))\"");
        LdapOptions bare = LdapOptions.parse("ldapserver=h ldapbasedn=\"dc=x\" ldapsearchfilter=\"mail=$username\"");

        assertThat(LdapCheck.filter(uid, "ann")).isEqualTo("(uid=ann)");
        assertThat(LdapCheck.filter(uid, "*)(uid=*\\\0ü")).isEqualTo("(uid=\\2a\\29\\28uid=\\2a\\5c\\00\\c3\\bc)");
        assertThat(LdapCheck.filter(own, "a*")).isEqualTo("(|(uid=a\\2a)(mail=a\\2a))");
        assertThat(LdapCheck.filter(bare, "ann")).isEqualTo("(mail=ann)");
    }

    @Test
    void nameInADistinguishedNameIsOnlyAName() {
        assertThat(LdapCheck.escapedInName("ann")).isEqualTo("ann");
        assertThat(LdapCheck.escapedInName("ann,dc=evil")).isEqualTo("ann\\,dc\\=evil");
        assertThat(LdapCheck.escapedInName(" #a+b\"c\\<d>;e ")).isEqualTo("\\ #a\\+b\\\"c\\\\\\<d\\>\\;e\\ ");
        assertThat(LdapCheck.escapedInName("#a")).isEqualTo("\\#a");
    }

    @Test
    void serverThatIsAwayDecidesNothing() throws Exception {
        var check = new LdapCheck(LdapOptions.parse("ldapserver=127.0.0.1 ldapport=1 ldapprefix=\"uid=\""), "ann");

        assertThat(check.verdict("secret".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .isEqualTo(PasswordCheck.Verdict.UNKNOWN);
    }
}
