package io.plenum.pooler.auth;

import io.plenum.pooler.config.LdapOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Hashtable;
import javax.naming.AuthenticationException;
import javax.naming.Context;
import javax.naming.InvalidNameException;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;
import javax.naming.ldap.InitialLdapContext;
import javax.naming.ldap.LdapContext;
import javax.naming.ldap.StartTlsRequest;
import javax.naming.ldap.StartTlsResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks an LDAP server, by the JDK's own client, whether a user can bind with a password: as PostgreSQL's method ldap does.
 *
 * <p>Waits for the network, so never on a loop. A user name becomes part of a filter or of a name only with what would mean
 * something there escaped. TLS is verified against the JDK's trusted certificates.
 */
final class LdapCheck implements PasswordCheck {
    private static final Logger LOG = LoggerFactory.getLogger(LdapCheck.class);

    private static final String CONNECT_MILLIS = "3000";
    private static final String READ_MILLIS = "5000";
    private static final String PLACEHOLDER = "$username";

    private final LdapOptions options;
    private final String user;

    LdapCheck(LdapOptions options, String user) {
        this.options = options;
        this.user = user;
    }

    @Override
    public boolean isSlow() {
        return true;
    }

    /** The first server that can be reached decides. */
    @Override
    public Verdict verdict(byte[] password) {
        for (String server : options.servers()) {
            try {
                return verdict(server, new String(password, StandardCharsets.UTF_8));
            } catch (NamingException | IOException e) {
                LOG.warn(
                        "event=ldap_failed server={} user=\"{}\" reason=\"{}\"",
                        server,
                        user,
                        String.valueOf(e.getMessage()));
            }
        }
        return Verdict.UNKNOWN;
    }

    private Verdict verdict(String server, String password) throws NamingException, IOException {
        if (options.startTls() && server.startsWith("ldaps:")) {
            throw new IOException("ldaptls=1 over ldaps, which is TLS already");
        }
        String name;
        if (options.searches()) {
            String found = search(server);
            if (found == null) {
                return Verdict.WRONG;
            }
            name = found;
        } else {
            name = options.prefix() + escapedInName(user) + options.suffix();
        }
        try (var bound = new Bound(server, name, password)) {
            LOG.debug("event=ldap_bound server={} context={}", server, bound.context);
            return Verdict.RIGHT;
        } catch (AuthenticationException | InvalidNameException e) {
            LOG.warn("event=ldap_refused server={} user=\"{}\" reason=\"{}\"", server, user, e.getMessage());
            return Verdict.WRONG;
        }
    }

    /** The full name of the user's entry; null when there is none, or more than one. */
    @SuppressWarnings("BanJNDI") // names alone are asked for: no object is made of what an entry holds
    private @Nullable String search(String server) throws NamingException, IOException {
        try (var searching = new Bound(server, options.bindDn(), options.bindPassword())) {
            var controls = new SearchControls();
            controls.setSearchScope(
                    switch (options.scope()) {
                        case BASE -> SearchControls.OBJECT_SCOPE;
                        case ONE -> SearchControls.ONELEVEL_SCOPE;
                        case SUB -> SearchControls.SUBTREE_SCOPE;
                    });
            controls.setCountLimit(2);
            controls.setReturningAttributes(new String[] {"1.1"}); // RFC 4511: none
            NamingEnumeration<SearchResult> results =
                    searching.context.search(options.baseDn(), filter(options, user), controls);
            String name = null;
            int count = 0;
            while (count < 2 && results.hasMore()) {
                SearchResult result = results.next();
                name = result.getNameInNamespace();
                count++;
            }
            if (count != 1) {
                LOG.warn(
                        "event=ldap_refused server={} user=\"{}\" reason=\"{} entries match\"",
                        server,
                        user,
                        count == 0 ? "no" : "several");
                return null;
            }
            return name;
        }
    }

    /** RFC 4515. */
    static String filter(LdapOptions options, String user) {
        String escaped = escapedInFilter(user);
        if (options.searchFilter().isEmpty()) {
            return "(" + options.searchAttribute() + "=" + escaped + ")";
        }
        String filter = options.searchFilter().replace(PLACEHOLDER, escaped);
        return filter.startsWith("(") ? filter : "(" + filter + ")";
    }

    private static String escapedInFilter(String text) {
        var escaped = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c >= 0x80 || c == 0 || c == '*' || c == '(' || c == ')' || c == '\\') {
                escaped.append("\\%02x".formatted((int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    /** RFC 4514, where the value of an attribute stands in a name. */
    static String escapedInName(String text) {
        var escaped = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean atEdge = i == 0 || i == text.length() - 1;
            if (",+\"\\<>;=".indexOf(c) >= 0 || (atEdge && c == ' ') || (i == 0 && c == '#')) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }

    @SuppressWarnings("JdkObsolete") // what JNDI takes
    private static Hashtable<String, Object> environment(String server) {
        var environment = new Hashtable<String, Object>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        environment.put(Context.PROVIDER_URL, server);
        environment.put("com.sun.jndi.ldap.connect.timeout", CONNECT_MILLIS);
        environment.put("com.sun.jndi.ldap.read.timeout", READ_MILLIS);
        environment.put(Context.REFERRAL, "ignore");
        return environment;
    }

    /** One connection, bound as somebody; an empty name is nobody. */
    private final class Bound implements AutoCloseable {
        private final LdapContext context;
        private final @Nullable StartTlsResponse tls;

        Bound(String server, String name, String password) throws NamingException, IOException {
            boolean anonymous = name.isEmpty();
            var environment = environment(server);
            environment.put(Context.SECURITY_AUTHENTICATION, anonymous || options.startTls() ? "none" : "simple");
            if (!anonymous && !options.startTls()) {
                environment.put(Context.SECURITY_PRINCIPAL, name);
                environment.put(Context.SECURITY_CREDENTIALS, password);
            }
            context = new InitialLdapContext(environment, null);
            StartTlsResponse begun = null;
            try {
                if (options.startTls()) {
                    begun = (StartTlsResponse) context.extendedOperation(new StartTlsRequest());
                    begun.negotiate();
                    context.addToEnvironment(Context.SECURITY_AUTHENTICATION, anonymous ? "none" : "simple");
                    if (!anonymous) {
                        context.addToEnvironment(Context.SECURITY_PRINCIPAL, name);
                        context.addToEnvironment(Context.SECURITY_CREDENTIALS, password);
                    }
                    context.reconnect(null);
                }
            } catch (NamingException | IOException e) {
                context.close();
                throw e;
            }
            tls = begun;
        }

        @Override
        public void close() throws NamingException, IOException {
            if (tls != null) {
                tls.close();
            }
            context.close();
        }
    }
}
