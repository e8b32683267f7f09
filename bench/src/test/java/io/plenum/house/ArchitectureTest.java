package io.plenum.house;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleNameStartingWith;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who may depend on what and call what; each rule says what to do instead. Tests are free of them. */
class ArchitectureTest {
    private static final String POOLER = "io.plenum.pooler";

    /** The packages of pooler from bottom to top: each may use those of lines above its own, and of its own line. */
    private static final List<Set<String>> FLOORS = List.of(
            Set.of("causal", "config", "error", "metrics", "net", "pam"),
            Set.of("server"),
            Set.of("pool"),
            Set.of("auth", "catalog", "discovery", "listen", "peer"),
            Set.of("link"),
            Set.of("client"),
            Set.of("admin"),
            Set.of(""));

    /** Of the network, only the addresses are values. */
    private static final Set<String> ADDRESSES = Set.of(
            "java.net.InetAddress",
            "java.net.Inet4Address",
            "java.net.Inet6Address",
            "java.net.InetSocketAddress",
            "java.net.SocketAddress");

    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.plenum");

    @Test
    void packagesFormNoCycle() {
        var packages = new SliceAssignment() {
            @Override
            public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                // One floor in two packages: a protocol violation has an SQLSTATE, and an error is a message.
                return SliceIdentifier.of(javaClass.getPackageName().replace("io.plenum.wire.error", "io.plenum.wire"));
            }

            @Override
            public String getDescription() {
                return "packages";
            }
        };
        check(SlicesRuleDefinition.slices()
                .assignedFrom(packages)
                .should()
                .beFreeOfCycles()
                .because("a cycle is one package in two places: move what both need down,"
                        + " or let the lower one declare a listener that the higher one implements"));
    }

    @Test
    void poolerPackagesDependDownwards() {
        var rules = IntStream.range(0, FLOORS.size() - 1)
                .mapToObj(floor -> noClasses()
                        .that()
                        .resideInAnyPackage(packages(FLOORS.subList(floor, floor + 1)))
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(packages(FLOORS.subList(floor + 1, FLOORS.size())))
                        .because("a lower package that must tell a higher one something declares a listener;"
                                + " the higher one implements it"));
        rules.forEach(ArchitectureTest::check);
    }

    @Test
    void everyPoolerPackageHasItsFloor() {
        var known = FLOORS.stream().flatMap(Set::stream).collect(Collectors.toSet());
        var homeless = PRODUCT.stream()
                .map(JavaClass::getPackageName)
                .filter(name -> name.equals(POOLER) || name.startsWith(POOLER + "."))
                .map(name -> name.equals(POOLER) ? "" : name.substring(POOLER.length() + 1))
                .filter(name -> !known.contains(name.split("\\.", 2)[0]))
                .collect(Collectors.toSet());

        assertThat(homeless)
                .as("packages of pooler that FLOORS does not know: add each to the floor it belongs to")
                .isEmpty();
    }

    @Test
    void wireAndRoutingDoNoInputOutputAndStartNoThread() {
        check(noClasses()
                .that(areIn("wire", "routing"))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                                "io.netty.channel..",
                                "io.netty.handler..",
                                "io.netty.util.concurrent..",
                                "java.nio.channels..",
                                "java.nio.file..",
                                "java.util.concurrent",
                                "java.util.concurrent.locks..",
                                "org.slf4j..",
                                "java.util.logging..")
                        .and(not(type(TimeUnit.class)))
                        .or(resideInAPackage("java.net..")
                                .and(not(describe("addresses", (JavaClass c) -> ADDRESSES.contains(c.getName())))))
                        .or(resideInAPackage("java.io").and(simpleNameStartingWith("File")))
                        .or(type(Thread.class)))
                .because("bytes and decisions are functions of their arguments: what acts, waits or logs lives"
                        + " in pooler"));
    }

    @Test
    void wireAndRoutingReadNoClock() {
        check(noClasses()
                .that(areIn("wire", "routing"))
                .should()
                .callMethodWhere(callOf(System.class, "currentTimeMillis", "nanoTime")
                        .or(callOf(Instant.class, "now"))
                        .or(callOf(LocalDateTime.class, "now"))
                        .or(callOf(ZonedDateTime.class, "now"))
                        .or(callOf(Clock.class, "systemUTC", "systemDefaultZone", "system")))
                .because("time comes in as an argument (nowNanos), so that a test can stand it still"));
    }

    @Test
    void nothingSleeps() {
        check(noClasses()
                .that(areIn("wire", "routing", "pooler"))
                .should()
                .callMethodWhere(callOf(Thread.class, "sleep", "onSpinWait"))
                .because("a sleeping loop stops its other clients: use eventLoop.schedule"));
    }

    @Test
    void nothingWaitsForAnotherLoop() {
        check(noClasses()
                .that(areIn(
                                "pooler.net",
                                "pooler.server",
                                "pooler.pool",
                                "pooler.listen",
                                "pooler.link",
                                "pooler.client",
                                "pooler.admin")
                        // these two start and stop, on the thread of whoever asks for it
                        .and(not(simpleName("EventLoops")))
                        .and(not(simpleName("Listener"))))
                .should()
                .callMethodWhere(callOf(Object.class, "wait")
                        .or(callOf(CountDownLatch.class, "await"))
                        .or(callOf(CompletableFuture.class, "get", "join"))
                        .or(callOf(Future.class, "get"))
                        .or(callOf(
                                io.netty.util.concurrent.Future.class,
                                "sync",
                                "await",
                                "syncUninterruptibly",
                                "awaitUninterruptibly")))
                .because("these packages run on event loops, where waiting for a future can wait for itself:"
                        + " add a listener, or hand over with loop.execute"));
    }

    @Test
    void namesAreNotLookedUpOnALoop() {
        check(noClasses()
                .that(
                        areIn("wire", "routing", "pooler")
                                .and(not(areIn("pooler.discovery")))
                                .and(areNotExactlyIn(POOLER)) // starts, before there is a loop
                        )
                .should()
                .callMethodWhere(callOf(InetAddress.class, "getByName", "getAllByName", "getLocalHost"))
                .orShould()
                .callConstructor(InetSocketAddress.class, String.class, int.class)
                .because("it blocks the caller for as long as DNS likes: InetAddress.ofLiteral and"
                        + " InetSocketAddress.createUnresolved read an address without asking, discovery"
                        + " resolves names"));
    }

    @Test
    void lettersAreMadeSmallAndLargeInLinearTime() {
        check(noClasses()
                .that(areIn("wire", "routing", "pooler"))
                .should()
                .callMethodWhere(callOf(String.class, "toLowerCase", "toUpperCase"))
                .because("a text of letters that grow by it costs the square of its length, and PostgreSQL tells"
                        + " only ASCII's apart: AsciiCase"));
    }

    @Test
    void randomnessComesFromOutside() {
        check(noClasses()
                .that(areIn("wire", "routing", "pooler"))
                .should()
                .dependOnClassesThat(type(Random.class))
                .orShould()
                .callMethodWhere(callOf(Math.class, "random"))
                .because("it is shared, slow or guessable: take a RandomGenerator as argument, SecureRandom for"
                        + " secrets"));
        check(noClasses()
                .that(areIn("wire", "routing"))
                .should()
                .dependOnClassesThat(type(ThreadLocalRandom.class))
                .because("a test cannot seed it: take a RandomGenerator as argument"));
    }

    @Test
    void secretsAreComparedInConstantTime() {
        check(noClasses()
                .that(areIn("wire.auth", "pooler.auth"))
                .should()
                .callMethodWhere(callOf(Arrays.class, "equals", "compare", "mismatch"))
                .because("it stops at the first difference and so tells how much was right: MessageDigest.isEqual"));
    }

    @Test
    void logsGoThroughTheLogger() {
        check(noClasses()
                .that(areIn("wire", "routing", "pooler"))
                .should()
                .callMethodWhere(callOf(Throwable.class, "printStackTrace"))
                .orShould()
                .dependOnClassesThat(resideInAnyPackage("java.util.logging.."))
                .because("nobody sees it in the log: LoggerFactory.getLogger and key=value"));
        // The root package is the command line: it prints.
        check(noClasses()
                .that(areIn("wire", "routing").or(areIn("pooler").and(areNotExactlyIn(POOLER))))
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .because("only the command line prints: LoggerFactory.getLogger and key=value"));
    }

    @Test
    void onlyTheCommandLineEndsTheProcess() {
        check(noClasses()
                .that(areIn("wire", "routing").or(areIn("pooler").and(areNotExactlyIn(POOLER))))
                .should()
                .callMethodWhere(callOf(System.class, "exit").or(callOf(Runtime.class, "exit", "halt")))
                .because("it cuts the drain short: ask Pooler to stop"));
    }

    /** A rule over a module that is still empty holds. */
    private static void check(ArchRule rule) {
        CompositeArchRule.of(rule).allowEmptyShould(true).check(PRODUCT);
    }

    private static String[] packages(List<Set<String>> floors) {
        return floors.stream()
                .flatMap(Set::stream)
                .map(name -> name.isEmpty() ? POOLER : POOLER + "." + name + "..")
                .toArray(String[]::new);
    }

    private static DescribedPredicate<JavaClass> areIn(String... packages) {
        return resideInAnyPackage(
                Stream.of(packages).map(name -> "io.plenum." + name + "..").toArray(String[]::new));
    }

    private static DescribedPredicate<JavaClass> areNotExactlyIn(String packageName) {
        return describe(
                "are not in " + packageName,
                javaClass -> !javaClass.getPackageName().equals(packageName));
    }

    private static DescribedPredicate<JavaCall<?>> callOf(Class<?> owner, String... methods) {
        var names = Set.of(methods);
        return describe("%s.%s".formatted(owner.getSimpleName(), String.join("/", methods)), call -> {
            var target = call.getTarget();
            return target.getOwner().isAssignableTo(owner) && names.contains(target.getName());
        });
    }
}
