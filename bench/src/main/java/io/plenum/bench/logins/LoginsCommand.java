package io.plenum.bench.logins;

import io.plenum.bench.rig.RigOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code plenum bench logins}. */
@CommandLine.Command(
        name = "logins",
        description = {
            "Logs in while others hold connections open without logging in and try wrong passwords.",
            "Ends with 1 when a good login failed, or one in a hundred took longer than --limit."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class LoginsCommand implements Callable<Integer> {
    /** The user of the testbed whose secret is SCRAM's; only PostgreSQL knows it. */
    static final String USER = "scram_user";

    /** Users come from PostgreSQL, by a query that counts itself. */
    static final List<String> SETTINGS = List.of(
            "auth_type = scram-sha-256",
            "auth_user = postgres",
            "auth_query = SELECT rolname, rolpassword FROM nextval('public.auth_calls') LEFT JOIN pg_authid"
                    + " ON rolname = $1");

    @Option(names = "--seconds", defaultValue = "60", description = "How long (default: ${DEFAULT-VALUE}).")
    private int seconds = 60;

    @Option(
            names = "--half-open",
            defaultValue = "5000",
            description = "Connections that do not log in; reopened when closed (default: ${DEFAULT-VALUE}).")
    private int halfOpen = 5_000;

    @Option(names = "--wrong", defaultValue = "500", description = "Wrong logins a second (default: ${DEFAULT-VALUE}).")
    private int wrong = 500;

    @Option(names = "--good", defaultValue = "20", description = "Good logins a second (default: ${DEFAULT-VALUE}).")
    private int good = 20;

    @Option(
            names = "--limit",
            defaultValue = "250",
            paramLabel = "MS",
            description = "Milliseconds that 99 of 100 good logins may take (default: ${DEFAULT-VALUE}).")
    private int limit = 250;

    @Option(
            names = "--login",
            paramLabel = "USER:PASSWORD",
            description = "Who logs in, with --target (default: the testbed's scram_user).")
    private String user = USER + ":" + USER;

    @Mixin
    private RigOptions rig = new RigOptions();

    @Override
    public Integer call() {
        int colon = user.indexOf(':');
        var flood = new LoginFlood.Load(halfOpen, wrong, good, Duration.ofSeconds(seconds));
        var report = rig.with(
                20,
                SETTINGS,
                target -> LoginFlood.run(
                        target,
                        user.substring(0, Math.max(colon, 0)),
                        user.substring(colon + 1),
                        flood,
                        System.out::println));
        report.findings().forEach(System.out::println);
        System.out.println(report.machineLine());
        return report.isWithin(limit) ? 0 : 1;
    }
}
