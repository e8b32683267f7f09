package io.plenum.pooler.discovery;

import static io.plenum.pooler.discovery.ScriptedNames.found;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.NetUtil;
import io.plenum.pooler.config.HostPort;
import io.plenum.routing.topology.Node;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class AddressBookTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FrozenLoop time = new FrozenLoop();
    private final ScriptedNames names = new ScriptedNames();
    private final List<List<String>> told = new ArrayList<>();
    private Duration maxTtl = Duration.ofSeconds(15);

    private AddressBook book(boolean everyAddress, String... hosts) {
        var seeds = new Seeds(
                Arrays.stream(hosts).map(host -> new HostPort(host, 5432)).toList(), everyAddress);
        var book = new AddressBook(
                seeds,
                time.loop(),
                time.clock(),
                names,
                () -> maxTtl,
                nodes -> told.add(nodes.stream().map(Node::name).toList()));
        book.start();
        time.pass(Duration.ofMillis(10));
        return book;
    }

    @Test
    void everyAddressBehindANameIsANode() {
        names.say("pg", found(SECOND, "10.0.0.1", "10.0.0.2", "fd00::1"));

        book(true, "pg");

        assertThat(told).containsExactly(List.of("10.0.0.1:5432", "10.0.0.2:5432", "[fd00:0:0:0:0:0:0:1]:5432"));
    }

    @Test
    void addressBehindTwoNamesIsOneNode() {
        names.say("a", found(SECOND, "10.0.0.1", "10.0.0.2"));
        names.say("b", found(SECOND, "10.0.0.2", "10.0.0.3"));

        book(true, "a", "b");

        assertThat(told.getLast()).containsExactly("10.0.0.1:5432", "10.0.0.2:5432", "10.0.0.3:5432");
    }

    @Test
    void literalAddressesAreNeverAskedFor() {
        AddressBook book = book(false, "10.0.0.1", "::1", "localhost");
        time.pass(Duration.ofMinutes(1));

        assertThat(names.takeAsked()).isZero();
        assertThat(book.nodes()).extracting(Node::name).contains("10.0.0.1:5432", "127.0.0.1:5432");
    }

    @Test
    void nameIsAskedAgainWhenItsTtlEndsAndNotMuchLater() {
        names.say("pg", found(Duration.ofSeconds(5), "10.0.0.1"));
        book(true, "pg");
        names.takeAsked();

        time.pass(Duration.ofMillis(4_900));
        assertThat(names.takeAsked()).isZero();
        time.pass(Duration.ofMillis(700));
        assertThat(names.takeAsked()).isOne();
    }

    @Test
    void ttlIsHeldBetweenASecondAndTheSetting() {
        maxTtl = Duration.ofSeconds(3);
        names.say("long", found(Duration.ofDays(1), "10.0.0.1"));
        names.say("none", found(Duration.ZERO, "10.0.0.2"));
        book(true, "long");
        time.pass(Duration.ofMillis(12_500));
        assertThat(names.takeAsked()).isBetween(4, 5);

        book(true, "none");
        names.takeAsked();
        time.pass(Duration.ofSeconds(10));
        assertThat(names.takeAsked()).isBetween(12, 14); // of which 3 or 4 are the other's
    }

    @Test
    void failureKeepsTheLastGoodAnswerAndIsTriedAgainSoon() {
        names.say("pg", found(SECOND, "10.0.0.1"));
        AddressBook book = book(true, "pg");
        told.clear();
        names.say("pg", new Names.NotFound("SERVFAIL"));
        time.pass(Duration.ofSeconds(60));

        assertThat(told).isEmpty();
        assertThat(book.nodes()).extracting(Node::name).containsExactly("10.0.0.1:5432");
        assertThat(names.takeAsked()).as("every 2 s or so in the end").isBetween(28, 36);

        names.say("pg", found(SECOND, "10.0.0.2"));
        time.pass(Duration.ofMillis(2_300));
        assertThat(told.getFirst()).containsExactly("10.0.0.2:5432");
    }

    @Test
    void familyThatWasNotAnsweredForStays() {
        names.say("pg", found(SECOND, "10.0.0.1", "fd00::1"));
        AddressBook book = book(true, "pg");
        var half = new Names.Found(
                List.of(Objects.requireNonNull(NetUtil.createInetAddressFromIpAddressString("10.0.0.2"))),
                SECOND,
                false);
        names.say("pg", half);
        time.pass(Duration.ofSeconds(2));

        assertThat(book.nodes()).extracting(Node::name).containsExactly("10.0.0.2:5432", "[fd00:0:0:0:0:0:0:1]:5432");
    }

    @Test
    void hostOfAListIsOneNodeThatMovesOnlyWhenItsNameMeansSomethingElse() {
        names.say("a", found(SECOND, "10.0.0.1", "10.0.0.9"));
        names.say("b", found(SECOND, "10.0.0.2"));
        AddressBook book = book(false, "a", "b");
        assertThat(book.nodes()).extracting(Node::name).containsExactly("10.0.0.1:5432", "10.0.0.2:5432");

        names.say("a", found(SECOND, "10.0.0.9", "10.0.0.1")); // the servers rotate
        time.pass(Duration.ofSeconds(2));
        assertThat(book.nodes()).extracting(Node::name).containsExactly("10.0.0.1:5432", "10.0.0.2:5432");

        names.say("a", found(SECOND, "10.0.0.5"));
        time.pass(Duration.ofSeconds(2));
        assertThat(book.nodes()).extracting(Node::name).containsExactly("10.0.0.5:5432", "10.0.0.2:5432");
    }

    @Test
    void troubleAsksAtOnceButNotMoreThanOnceASecond() {
        names.say("pg", found(Duration.ofSeconds(15), "10.0.0.1"));
        AddressBook book = book(true, "pg");
        time.pass(Duration.ofSeconds(5));
        names.takeAsked();

        for (int i = 0; i < 30; i++) {
            book.lookUpSoon();
            time.pass(Duration.ofMillis(100));
        }

        assertThat(names.takeAsked()).isBetween(2, 4);
    }

    @Test
    void closedBookAsksNoMore() {
        names.say("pg", found(SECOND, "10.0.0.1"));
        AddressBook book = book(true, "pg");
        names.takeAsked();

        book.close();
        time.pass(Duration.ofSeconds(10));

        assertThat(names.takeAsked()).isZero();
    }

    @Test
    void serviceRecordNamesHostsWithPortsAndWeights() {
        names.sayTargets(
                "_postgres._tcp.pg",
                new Names.Targets(
                        List.of(new Names.Target("pg-0.pg", 5433, 1), new Names.Target("pg-1.pg", 5434, 3)), SECOND));
        names.say("pg-0.pg", found(SECOND, "10.0.0.1"));
        names.say("pg-1.pg", found(SECOND, "10.0.0.2"));

        AddressBook book = book(true, "_postgres._tcp.pg");

        assertThat(told.getLast()).containsExactly("10.0.0.1:5433", "10.0.0.2:5434");
        assertThat(book.nodes()).extracting(Node::weight).containsExactly(1, 3);
    }

    @Test
    void targetsOfAServiceRecordComeAndGoAndTheirAddressesOutliveAnOutage() {
        var first = new Names.Target("pg-0.pg", 5432, 1);
        var second = new Names.Target("pg-1.pg", 5432, 1);
        names.sayTargets("_postgres._tcp.pg", new Names.Targets(List.of(first), SECOND));
        names.say("pg-0.pg", found(SECOND, "10.0.0.1"));
        names.say("pg-1.pg", found(SECOND, "10.0.0.2"));
        AddressBook book = book(true, "_postgres._tcp.pg");

        names.sayTargets("_postgres._tcp.pg", new Names.Targets(List.of(first, second), SECOND));
        time.pass(Duration.ofMillis(1_200));
        assertThat(told.getLast()).containsExactly("10.0.0.1:5432", "10.0.0.2:5432");

        names.sayTargets("_postgres._tcp.pg", null);
        names.say("pg-0.pg", new Names.NotFound("no such name"));
        time.pass(Duration.ofSeconds(30));
        assertThat(book.nodes()).hasSize(2);

        names.sayTargets("_postgres._tcp.pg", new Names.Targets(List.of(second), SECOND));
        time.pass(Duration.ofSeconds(3));
        assertThat(told.getLast()).containsExactly("10.0.0.2:5432");
    }
}
