package io.plenum.pooler.auth;

import io.plenum.pooler.auth.Refusal.Mechanism;
import io.plenum.pooler.auth.SecretSource.Found;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.HbaRule;
import io.plenum.pooler.config.InvalidValueException;
import io.plenum.pooler.config.LdapOptions;
import io.plenum.pooler.config.LoginMethod;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Secret;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.net.PeerIdentity;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.wire.auth.Md5Secret;
import io.plenum.wire.auth.ScramSecret;
import java.security.SecureRandom;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Chooses how a client proves who it is: by {@code auth_type} or the rule of {@code auth_hba_file} that is about it, and by
 * the secret that {@code auth_file} or {@code auth_query} has. Any thread.
 *
 * <p>Whoever is unknown is asked as everybody else is, and refused at the end: names cannot be found out.
 */
public final class Authenticator implements AutoCloseable {
    private static final int MOST_HASHES_WAITING = 512;
    private static final int ASKERS = 8;
    private static final int MOST_QUESTIONS_WAITING = 256;

    private final SecureRandom random = new SecureRandom();
    private final byte[] key = new byte[32];
    private final MockSecrets mocks = new MockSecrets();
    private final FailedLogins failures = new FailedLogins();
    private final SecretSource secrets;
    private volatile KnownUsers users;

    /** For arithmetic: more threads than processors would only take turns. */
    private final SlowWork hashing =
            new SlowWork("login", Math.max(1, Runtime.getRuntime().availableProcessors() / 2), MOST_HASHES_WAITING);

    /** For LDAP and PAM, which wait for others. */
    private final SlowWork asking = new SlowWork("login-ask", ASKERS, MOST_QUESTIONS_WAITING);

    public Authenticator(SecretSource secrets, PoolerConfig config) {
        this.secrets = secrets;
        random.nextBytes(key);
        users = KnownUsers.of(config, key, null);
    }

    /** Makes ready for a configuration, before it is in force. Takes seconds for many users, so never on a loop. */
    public void configure(PoolerConfig next) {
        users = KnownUsers.of(next, key, users);
    }

    /**
     * Prepares the proof that the client must give and hands it over by {@code loop}, the executor of the client's loop:
     * at once, or later when something must be looked up or derived first.
     */
    public void prepare(LoginRequest request, Executor loop, Consumer<Proof> ready) {
        if (request.isOwner()) {
            ready.accept(NoProof.accepted(null));
            return;
        }
        LoginMethod method = LoginMethod.of(request.config().get(Settings.AUTH_TYPE));
        HbaRule rule = null;
        if (method == null) {
            PeerIdentity peer = request.peer();
            rule = request.config()
                    .loginRules()
                    .hba()
                    .find(
                            peer.address(),
                            peer.encrypted(),
                            request.database(),
                            request.user(),
                            request.physicalReplication());
            if (rule == null) {
                ready.accept(NoProof.refused(noRule(request)));
                return;
            }
            method = rule.method();
        }
        switch (method) {
            case ANY -> ready.accept(any(request, rule));
            case REJECT, UNSUPPORTED -> ready.accept(NoProof.refused(rejected(rule)));
            case LDAP -> ready.accept(ldap(request, rule, loop));
            case PAM -> ready.accept(pam(request, loop));
            case TRUST, PASSWORD, MD5, SCRAM_SHA_256, CERT, PEER ->
                find(request, new Choice(request, users, method, rule, loop, ready));
        }
    }

    /** Takes note of a login that failed; for how long the client is not to hear of it, in nanoseconds. */
    public long onFailure(LoginRequest request, Refusal refusal, long nowNanos) {
        return refusal.guess() ? failures.onFailure(request.peer().address(), request.user(), nowNanos) : 0;
    }

    public void onSuccess(LoginRequest request) {
        boolean askedFor = secrets.onSuccess(request, users.list());
        failures.onSuccess(request.peer().address(), request.user(), askedFor, System.nanoTime());
    }

    @Override
    public void close() {
        hashing.close();
        asking.close();
    }

    // --- without a secret ------------------------------------------------------------------------------------------

    private static Refusal noRule(LoginRequest request) {
        PeerIdentity peer = request.peer();
        return Refusal.rejected(
                "no authentication method is found",
                "no line of auth_hba_file matches",
                PoolerErrors.noHbaEntry(peer.place(), request.user(), request.database(), peer.encrypted()));
    }

    private static Refusal rejected(@Nullable HbaRule rule) {
        String cause = rule == null ? "" : "line " + rule.line() + " of auth_hba_file";
        return Refusal.rejected("login rejected", cause, PoolerErrors.loginRejected("login rejected"));
    }

    private static Proof any(LoginRequest request, @Nullable HbaRule rule) {
        DatabaseConfig entry = request.entry();
        boolean possible =
                request.console() || entry == null || entry.user() != null; // a missing database is told later
        return possible ? accepted(rule) : NoProof.refused(Refusal.configuration("auth_type=any requires forced user"));
    }

    /** A rule is about some addresses; {@code auth_type} is about all. */
    private static Proof accepted(@Nullable HbaRule rule) {
        return rule == null ? NoProof.acceptedForAll() : NoProof.accepted(null);
    }

    private Proof ldap(LoginRequest request, @Nullable HbaRule rule, Executor loop) {
        LdapOptions options = rule == null ? null : rule.ldap();
        try {
            if (options == null) {
                options = LdapOptions.parse(request.config().get(Settings.AUTH_LDAP_OPTIONS));
            }
        } catch (InvalidValueException e) {
            return NoProof.refused(Refusal.configuration("auth_ldap_options " + e.getMessage()));
        }
        return new PasswordProof(
                new LdapCheck(options, request.user()),
                Refusal.password(request.user(), Mechanism.LDAP, "LDAP said no"),
                asking,
                urgency(request),
                loop);
    }

    private Proof pam(LoginRequest request, Executor loop) {
        return new PasswordProof(
                new PamCheck(
                        request.user(), request.peer().place(), request.config().get(Settings.AUTH_PAM_CONFDIR)),
                Refusal.password(request.user(), Mechanism.PAM, "PAM said no"),
                asking,
                urgency(request),
                loop);
    }

    private SlowWork.Urgency urgency(LoginRequest request) {
        return failures.isSuspect(request.peer().address(), System.nanoTime())
                ? SlowWork.Urgency.SUSPECT
                : SlowWork.Urgency.USUAL;
    }

    // --- by a secret -----------------------------------------------------------------------------------------------

    /** What is known before the secret is. */
    private record Choice(
            LoginRequest request,
            KnownUsers users,
            LoginMethod method,
            @Nullable HbaRule rule,
            Executor loop,
            Consumer<Proof> ready) {
        String user() {
            return request.user();
        }
    }

    private void find(LoginRequest request, Choice choice) {
        secrets.find(
                request,
                choice.users().list(),
                () -> failures.isSuspectToAsk(request.peer().address(), System.nanoTime()),
                choice.loop(),
                found -> choose(choice, found));
    }

    private void choose(Choice choice, Found found) {
        if (found instanceof Found.Broken(Refusal refusal)) {
            choice.ready().accept(NoProof.refused(refusal));
            return;
        }
        Secret secret = found instanceof Found.User(Secret known, var _) ? known : null;
        if (found.askedFor()) {
            mocks.onFound(secret);
        }
        switch (choice.method()) {
            case TRUST -> choice.ready().accept(trust(choice, found));
            case CERT -> choice.ready().accept(certificate(choice, found));
            case PEER -> choice.ready().accept(peer(choice, found));
            case PASSWORD ->
                choice.ready()
                        .accept(new PasswordProof(
                                passwordCheck(choice, found, secret),
                                refusal(choice, found, Mechanism.PASSWORD),
                                hashing,
                                urgency(choice.request()),
                                choice.loop()));
            case MD5 -> {
                boolean scram = secret == null
                        ? mocks.isMostlyScram(choice.users(), found.askedFor())
                        : secret instanceof Secret.Scram;
                if (scram) {
                    scram(choice, found);
                } else {
                    choice.ready().accept(md5(choice, found));
                }
            }
            case SCRAM_SHA_256 -> scram(choice, found);
            case ANY, REJECT, LDAP, PAM, UNSUPPORTED -> throw new IllegalStateException("needs no secret");
        }
    }

    /** Who has no secret costs as much time as most others do. */
    private PasswordCheck passwordCheck(Choice choice, Found found, @Nullable Secret secret) {
        boolean mock = secret == null && mocks.isMostlyScram(choice.users(), found.askedFor());
        return mock
                ? PasswordCheck.of(mocks.scram(choice.users(), choice.user(), found.askedFor()))
                : PasswordCheck.of(choice.user(), secret);
    }

    private static Refusal refusal(Choice choice, Found found, Mechanism mechanism) {
        return switch (found) {
            case Found.Nobody(boolean askedFor, String cause) ->
                Refusal.unknownUser(choice.user(), mechanism, askedFor, cause);
            case Found.User(Secret secret, var _) -> {
                String cause = "wrong password";
                if (secret == null) {
                    cause = "the user has no password, or it has expired";
                } else if (mechanism == Mechanism.SASL && secret instanceof Secret.Md5) {
                    cause = "SCRAM authentication failed: user has MD5 secret";
                }
                yield Refusal.password(choice.user(), mechanism, cause);
            }
            case Found.Broken(Refusal refusal) -> refusal;
        };
    }

    /** What a user whom the settings do not know can show a server by the mere secret. */
    private static @Nullable ServerCredential credential(Found found) {
        return found instanceof Found.User(Secret secret, boolean askedFor) && askedFor
                ? switch (secret) {
                    case Secret.Plain(String password) -> new ServerCredential.Password(password);
                    case Secret.Md5(String hex) -> new ServerCredential.Md5("md5" + hex);
                    case null, default -> null;
                }
                : null;
    }

    private static Proof trust(Choice choice, Found found) {
        return switch (found) {
            case Found.User(var _, boolean askedFor) ->
                askedFor ? NoProof.accepted(credential(found)) : accepted(choice.rule());
            case Found.Nobody(boolean askedFor, var _) ->
                !askedFor && choice.users().list().size() == 0
                        ? accepted(choice.rule())
                        : NoProof.refused(Refusal.untrusted(choice.user(), askedFor));
            case Found.Broken(Refusal refusal) -> NoProof.refused(refusal);
        };
    }

    private static Proof certificate(Choice choice, Found found) {
        PeerIdentity peer = choice.request().peer();
        String name = peer.certificateName();
        if (!peer.encrypted()) {
            return NoProof.refused(Refusal.certificate("TLS connection required"));
        }
        if (name == null) {
            return NoProof.refused(Refusal.certificate("TLS client certificate required"));
        }
        if (!(found instanceof Found.User)) {
            return NoProof.refused(Refusal.certificate("no such user: " + choice.user()));
        }
        String mismatch =
                mismatch(choice, name, "ident map: %s does not have a match", "TLS certificate name mismatch");
        return mismatch == null ? NoProof.accepted(credential(found)) : NoProof.refused(Refusal.certificate(mismatch));
    }

    private static Proof peer(Choice choice, Found found) {
        String name = choice.request().peer().systemUser();
        if (name == null) {
            return NoProof.refused(Refusal.peer("not a Unix socket, or its other end is not known"));
        }
        if (!(found instanceof Found.User)) {
            return NoProof.refused(Refusal.peer("no such user: " + choice.user()));
        }
        String mismatch = mismatch(choice, name, "ident map %s cannot be matched", "the system user has another name");
        return mismatch == null ? NoProof.accepted(credential(found)) : NoProof.refused(Refusal.peer(mismatch));
    }

    /** Null when the system's name may log in as the user; else why it may not. */
    private static @Nullable String mismatch(Choice choice, String name, String ofMap, String ofNames) {
        String map = choice.rule() == null ? null : choice.rule().map();
        if (map == null) {
            return name.equals(choice.user()) ? null : ofNames;
        }
        return choice.request().config().loginRules().maps().allows(map, name, choice.user())
                ? null
                : ofMap.formatted(map);
    }

    private Proof md5(Choice choice, Found found) {
        Md5Secret stored = found instanceof Found.User(Secret secret, var _)
                ? switch (secret) {
                    case Secret.Plain(String password) -> Md5Secret.of(choice.user(), password);
                    case Secret.Md5(String hex) -> Md5Secret.parse("md5" + hex);
                    case null, default -> null;
                }
                : null;
        // Nobody's takes as long, and then is not right.
        Md5Secret asked = stored == null ? Md5Secret.of(choice.user(), "nobody") : stored;
        return new Md5Proof(
                asked, stored == null, refusal(choice, found, Mechanism.PASSWORD), credential(found), random);
    }

    private void scram(Choice choice, Found found) {
        Secret secret = found instanceof Found.User(Secret known, var _) ? known : null;
        // Nobody's and a real one for everybody, whoever needs which: a clock tells microseconds, too.
        ScramSecret nobody = mocks.scram(choice.users(), choice.user(), found.askedFor());
        ScramSecret real = ScramSecret.parse(
                secret instanceof Secret.Scram(String text) ? text : mocks.example(choice.users(), found.askedFor()));
        switch (secret) {
            case Secret.Scram _ -> accept(choice, found, real == null ? nobody : real, true);
            case Secret.Plain(String password) -> {
                byte[] salt = nobody.salt();
                int iterations = choice.users().iterations();
                ScramSecret ready = found.askedFor() ? null : choice.users().derived(choice.user());
                if (ready != null) {
                    accept(choice, found, ready, false);
                } else {
                    derive(choice, found, () -> ScramSecret.derive(password, salt, iterations));
                }
            }
            case null, default -> {
                if (mocks.isMostlyDerived(choice.users(), found.askedFor())) {
                    derive(choice, found, () -> {
                        var _ = ScramSecret.derive(
                                "nobody", nobody.salt(), nobody.iterations()); // for the time it takes
                        return nobody;
                    });
                } else {
                    accept(choice, found, nobody, false);
                }
            }
        }
    }

    private void derive(Choice choice, Found found, Supplier<ScramSecret> work) {
        boolean taken = hashing.run(urgency(choice.request()), () -> {
            ScramSecret made = work.get();
            choice.loop().execute(() -> accept(choice, found, made, false));
        });
        if (!taken) {
            choice.ready().accept(NoProof.refused(Refusal.unavailable("too many secrets wait to be derived")));
        }
    }

    private void accept(Choice choice, Found found, ScramSecret secret, boolean passesKeys) {
        choice.ready()
                .accept(new ScramProof(
                        secret,
                        refusal(choice, found, Mechanism.SASL),
                        credential(found),
                        passesKeys,
                        choice.request().endPoint(),
                        random));
    }
}
