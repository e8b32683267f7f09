package io.plenum.pooler.auth;

import io.plenum.pooler.auth.Proof.PassedKeys;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.server.ServerCredential;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What proves us to PostgreSQL as a user: a configured password, the user list, or the keys that the user's own SCRAM
 * login gave us. Any thread.
 */
public final class Credentials {
    private final Map<String, PassedKeys> passed = new ConcurrentHashMap<>();

    /** A client has logged in by SCRAM against a verifier; its keys open every server that has the same verifier. */
    public void onClientKeys(String user, PassedKeys keys) {
        passed.put(user, keys);
    }

    public ServerCredential of(PoolerConfig config, DatabaseConfig database, String user) {
        Secret.Plain own = user.equals(database.user()) ? database.password() : null;
        return of(own == null ? config.userList().secret(user) : own, user);
    }

    /** What a secret of the user list, or null, lets us prove. */
    public ServerCredential of(@Nullable Secret secret, String user) {
        return switch (secret) {
            case Secret.Plain(String password) -> new ServerCredential.Password(password);
            case Secret.Md5(String hex) -> new ServerCredential.Md5("md5" + hex);
            case Secret.Scram _ -> {
                PassedKeys keys = passed.get(user);
                yield keys == null
                        ? new ServerCredential.None()
                        : new ServerCredential.ScramKeys(keys.clientKey(), keys.serverKey());
            }
            case null -> new ServerCredential.None();
        };
    }
}
