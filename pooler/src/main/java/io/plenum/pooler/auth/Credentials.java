package io.plenum.pooler.auth;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.server.ServerCredential;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What proves us to PostgreSQL as a user: a configured password, the user list, or what the user's own login gave us. Any
 * thread.
 */
public final class Credentials {
    /** Users who have logged in last; of others, what they gave us is forgotten. */
    private static final int MOST = 10_000;

    private final Map<Name, Learnt> learnt = Collections.synchronizedMap(new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Name, Learnt> eldest) {
            return size() > MOST;
        }
    });

    /** A user of the user list is the same in all databases; one whom auth_query knows belongs to one. */
    private record Name(String database, String user) {
        static Name of(PoolerConfig config, String database, String user) {
            return new Name(config.userList().knows(user) ? "" : database, user);
        }
    }

    /** What a login gave us, and the secret that it was checked against; null for one of auth_query, LDAP or PAM. */
    private record Learnt(
            ServerCredential credential, @Nullable Secret against) {}

    /**
     * A client has proved who it is, and this proves the same to servers: SCRAM keys open every server that has the same
     * verifier.
     */
    public void onLogin(PoolerConfig config, String database, String user, ServerCredential credential) {
        learnt.put(
                Name.of(config, database, user),
                new Learnt(credential, config.userList().secret(user)));
    }

    /** As whom we may log in to the database. */
    public ServerCredential of(PoolerConfig config, DatabaseConfig database, String user) {
        Secret.Plain own = user.equals(database.user()) ? database.password() : null;
        if (own != null) {
            return of(own, user);
        }
        Secret listed = config.userList().secret(user);
        if (listed instanceof Secret.Plain) {
            return of(listed, user);
        }
        Learnt known = learnt.get(Name.of(config, database.name(), user));
        return known != null && (known.against() == null || known.against().equals(listed))
                ? known.credential()
                : of(listed, user);
    }

    /** What a secret of the user list, or null, lets us prove by itself. */
    public ServerCredential of(@Nullable Secret secret, String user) {
        return switch (secret) {
            case Secret.Plain(String password) -> new ServerCredential.Password(password);
            case Secret.Md5(String hex) -> new ServerCredential.Md5("md5" + hex);
            case Secret.Scram scram -> {
                Learnt known = learnt.get(new Name("", user));
                yield known != null && scram.equals(known.against()) ? known.credential() : new ServerCredential.None();
            }
            case null -> new ServerCredential.None();
        };
    }
}
