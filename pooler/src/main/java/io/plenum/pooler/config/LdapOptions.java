package io.plenum.pooler.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an LDAP server is asked whether a password is right: the options of a line of {@code auth_hba_file}, or of {@code
 * auth_ldap_options}, by PostgreSQL's names.
 *
 * <p>Either the user's name with something before and behind it is bound to ({@code ldapprefix}, {@code ldapsuffix}), or
 * the user's entry is searched first ({@code ldapbasedn} and what goes with it, or {@code ldapurl}) and then bound to.
 *
 * @param servers to be tried in turn, as {@code ldap://host:port} or {@code ldaps://host:port}
 * @param startTls whether TLS is begun over a plain connection
 * @param baseDn empty for a bind without a search
 * @param bindPassword never shown
 */
public record LdapOptions(
        List<String> servers,
        boolean startTls,
        String prefix,
        String suffix,
        String baseDn,
        String bindDn,
        String bindPassword,
        String searchAttribute,
        String searchFilter,
        Scope scope) {

    /** How deep under the base a search looks; as LDAP URLs name it. */
    public enum Scope implements Choice {
        BASE("base"),
        ONE("one"),
        SUB("sub");

        private final String word;

        Scope(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    private static final int PORT = 389;
    private static final int TLS_PORT = 636;
    private static final String NAMES =
            "ldapserver, ldapport, ldapscheme, ldaptls, ldapprefix, ldapsuffix, ldapbasedn, ldapbinddn,"
                    + " ldapbindpasswd, ldapsearchattribute, ldapsearchfilter, ldapurl";

    public boolean searches() {
        return !baseDn.isEmpty();
    }

    /** Reads the text of {@code auth_ldap_options}: {@code name=value} with blanks or commas between, quotes as in hba. */
    public static LdapOptions parse(String text) throws InvalidValueException {
        Findings findings = new Findings();
        List<String> words = new ArrayList<>();
        for (RuleTokens line : RuleTokens.of(Path.of(""), text, findings)) {
            line.rest().forEach(word -> words.add(word.text()));
        }
        if (!findings.faults().isEmpty()) {
            throw new InvalidValueException("has a quote without its end");
        }
        return of(words);
    }

    /** What words such as {@code ldapserver=HOST} say. No message holds a password. */
    static LdapOptions of(List<String> words) throws InvalidValueException {
        Reader reader = new Reader();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals <= 0) {
                throw new InvalidValueException("an option of LDAP is NAME=VALUE; allowed names: " + NAMES);
            }
            reader.take(word.substring(0, equals), word.substring(equals + 1));
        }
        return reader.options();
    }

    /** Options while they are read. */
    private static final class Reader {
        private String scheme = "ldap";
        private String server = "";
        private int port;
        private boolean startTls;
        private @Nullable String prefix;
        private @Nullable String suffix;
        private String baseDn = "";
        private String bindDn = "";
        private String bindPassword = "";
        private String attribute = "";
        private String filter = "";
        private Scope scope = Scope.SUB;

        void take(String name, String value) throws InvalidValueException {
            switch (name) {
                case "ldapserver" -> server = value;
                case "ldapport" -> port = (int) Values.wholeNumber(value, 1, 65535);
                case "ldapscheme" -> setScheme(value);
                case "ldaptls" -> startTls = value.equals("1");
                case "ldapprefix" -> prefix = value;
                case "ldapsuffix" -> suffix = value;
                case "ldapbasedn" -> baseDn = value;
                case "ldapbinddn" -> bindDn = value;
                case "ldapbindpasswd" -> bindPassword = value;
                case "ldapsearchattribute" -> attribute = value;
                case "ldapsearchfilter" -> filter = value;
                case "ldapurl" -> takeUrl(value);
                default ->
                    throw new InvalidValueException(Findings.quote(name) + " is no option of LDAP; allowed: " + NAMES);
            }
        }

        private void setScheme(String value) throws InvalidValueException {
            if (!value.equals("ldap") && !value.equals("ldaps")) {
                throw new InvalidValueException("ldapscheme is ldap or ldaps");
            }
            scheme = value;
        }

        /** RFC 4516: {@code ldap://host:port/base?attribute?scope?filter}. */
        private void takeUrl(String value) throws InvalidValueException {
            int colon = value.indexOf("://");
            if (colon < 0) {
                throw new InvalidValueException("ldapurl begins with ldap:// or ldaps://");
            }
            setScheme(value.substring(0, colon));
            int slash = value.indexOf('/', colon + 3);
            String authority = value.substring(colon + 3, slash < 0 ? value.length() : slash);
            try {
                URI uri = new URI(scheme + "://" + authority);
                server = authority.isEmpty() || uri.getHost() == null ? "" : uri.getHost();
                port = Math.max(0, uri.getPort());
                if (server.isEmpty() && !authority.isEmpty()) {
                    throw new InvalidValueException("ldapurl has no readable host");
                }
            } catch (URISyntaxException e) {
                if (!authority.isEmpty()) {
                    throw new InvalidValueException("ldapurl has no readable host");
                }
            }
            String[] parts =
                    slash < 0 ? new String[0] : value.substring(slash + 1).split("\\?", 4);
            baseDn = part(parts, 0);
            attribute = part(parts, 1).split(",", 2)[0];
            String depth = part(parts, 2);
            for (Scope known : Scope.values()) {
                if (known.word().equals(depth)) {
                    scope = known;
                }
            }
            if (depth.isEmpty()) {
                scope = Scope.BASE; // the RFC's default
            } else if (!scope.word().equals(depth)) {
                throw new InvalidValueException("the scope of ldapurl is base, one or sub");
            }
            filter = part(parts, 3);
        }

        private static String part(String[] parts, int index) throws InvalidValueException {
            try {
                return index < parts.length
                        ? URLDecoder.decode(parts[index].replace("+", "%2B"), StandardCharsets.UTF_8)
                        : "";
            } catch (IllegalArgumentException e) {
                throw new InvalidValueException("ldapurl has a % that is not followed by two hexadecimal digits");
            }
        }

        LdapOptions options() throws InvalidValueException {
            boolean binds = prefix != null || suffix != null;
            if (binds && !(baseDn + bindDn + bindPassword + attribute + filter).isEmpty()) {
                throw new InvalidValueException("ldapprefix and ldapsuffix cannot stand beside ldapbasedn, ldapbinddn,"
                        + " ldapbindpasswd, ldapsearchattribute, ldapsearchfilter or ldapurl");
            }
            if (!binds && baseDn.isEmpty()) {
                throw new InvalidValueException("LDAP needs ldapbasedn, ldapprefix or ldapsuffix");
            }
            if (!attribute.isEmpty() && !filter.isEmpty()) {
                throw new InvalidValueException("ldapsearchattribute cannot stand beside ldapsearchfilter");
            }
            if (server.isEmpty()) {
                throw new InvalidValueException("LDAP needs ldapserver; servers are not looked up by SRV records");
            }
            List<String> servers = new ArrayList<>();
            int number = port > 0 ? port : scheme.equals("ldaps") ? TLS_PORT : PORT;
            for (String host : server.trim().split("\\s+", -1)) {
                String name = host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
                servers.add(scheme + "://" + name + ":" + number);
            }
            return new LdapOptions(
                    List.copyOf(servers),
                    startTls,
                    prefix == null ? "" : prefix,
                    suffix == null ? "" : suffix,
                    baseDn,
                    bindDn,
                    bindPassword,
                    attribute.isEmpty() ? "uid" : attribute,
                    filter,
                    scope);
        }
    }

    /** Shows no password. */
    @Override
    public String toString() {
        return "LdapOptions[" + servers + "]";
    }
}
