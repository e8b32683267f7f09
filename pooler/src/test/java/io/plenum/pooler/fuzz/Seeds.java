package io.plenum.pooler.fuzz;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.admin.ConsoleFuzz;
import io.plenum.pooler.link.PgsSeeds;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the fuzzer begins with: the conversations that were recorded of real servers, the scripts, the corpora of SQL and the
 * configurations of other tests; and what was once found, which is kept in files.
 */
final class Seeds {
    private static final Path WIRE = Path.of("../wire-protocol/src/test/resources");
    private static final Path ROUTING = Path.of("../routing/src/test/resources/corpus/statements.txt");
    private static final Path OWN = Path.of("src/test/resources/io/plenum/pooler");
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    private Seeds() {}

    /** What a target was once caught with; each file is one input. */
    static List<byte[]> found(FuzzTarget target) {
        Path folder = OWN.resolve("fuzz").resolve(target.word());
        return Files.isDirectory(folder) ? files(folder, "").map(Seeds::bytes).toList() : List.of();
    }

    static List<byte[]> startup() {
        List<byte[]> seeds = new ArrayList<>();
        for (String line : lines(WIRE.resolve("startup-outcomes.txt"))) {
            if (!line.startsWith("#") && !line.isBlank()) {
                seeds.add(hex(line.substring(0, line.indexOf(' '))));
            }
        }
        seeds.add(hex(SIGNATURE + "2111000c" + "0a000007" + "c0a80001" + "a141" + "1920" + "0000000804d2162f"));
        seeds.add(hex(SIGNATURE + "21210024" + "20010db8" + "00".repeat(28) + "0050" + "1920"));
        seeds.add(hex(SIGNATURE + "20000000"));
        seeds.add(hex("0000000804d2162f"));
        seeds.add(hex("0000000804d21630"));
        ByteBuf cancel = Unpooled.buffer();
        FrontendMessages.cancelRequest(cancel, new CancelKey(7, new byte[32]));
        seeds.add(ByteBufUtil.getBytes(cancel));
        return seeds;
    }

    static List<byte[]> frontend() {
        List<byte[]> seeds = new ArrayList<>();
        recorded('F').forEach(stream -> seeds.add(behind(stream, 0x35)));
        PgsSeeds.sent().forEach(stream -> seeds.add(behind(stream, 0)));
        return seeds;
    }

    static List<byte[]> backend() {
        List<byte[]> seeds = new ArrayList<>();
        recorded('B').forEach(stream -> {
            seeds.add(behind(stream, 0x35, 0));
            seeds.add(behind(stream, 2, 3, 0, 1, 5));
        });
        for (String messages : List.of(
                "3100000004" + "3200000004" + "430000000d53454c454354203100" + "5a0000000549",
                "5300000012" + "54696d655a6f6e6500" + "4554430000" + "5a0000000549",
                "4500000014" + "53464154414c00" + "43353750303100" + "4d6e6f0000" + "5a0000000549",
                "440000000b0001000000013" + "1" + "5a0000000554",
                "5a0000000458")) {
            seeds.add(behind(hex(messages), 2, 3, 0, 1, 5));
        }
        return seeds;
    }

    static List<byte[]> scramServer() {
        return List.of(
                behind(
                        ascii("n,,n=,r=rOprNGfwEbeRWgbNEkqO\n"
                                + "c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9zjf"),
                        0),
                behind(ascii("y,,n=user,r=x,e=y\nc=eSws,r=x,p="), 1),
                behind(ascii("p=tls-server-end-point,,n=,r=abc\nc=cD10bHM=,r=abc,x=y,p=AAAA"), 9),
                behind(new byte[0], 4),
                behind(new byte[0], 5),
                behind(new byte[] {0, 60, 'A'}, 4),
                behind(new byte[] {1, 100, '='}, 6));
    }

    static List<byte[]> scramClient() {
        return List.of(
                behind(
                        ascii("r=AAECAwQFBgcICQoLDA0ODxAR,s=c2l4dGVlbiBieXRlcyBvZg==,i=10\n"
                                + "v=6rriTRBi23WpRR/wtup+mMhUZUn/"),
                        0),
                behind(ascii("r=AAECAwQFBgcICQoLDA0ODxARserver,s=c2FsdA==,i=2147483647,x=y\ne=invalid-proof"), 0),
                behind(new byte[0], 1),
                behind(new byte[] {0, 10, 'A'}, 1));
    }

    static List<byte[]> ini() {
        List<byte[]> seeds = new ArrayList<>();
        for (Path file : List.of(Path.of("../docs/plenum.ini"), OWN.resolve("config/pgbouncer-settings.ini"))) {
            List<String> lines = lines(file);
            for (int from = 0; from < lines.size(); from += 30) {
                String part = String.join("\n", lines.subList(from, Math.min(lines.size(), from + 30)));
                seeds.add(utf8("[pgbouncer]\n" + part.replaceAll("(?m)^;(?=[a-z])", "")));
            }
        }
        seeds.add(ascii("""
            ; all kinds of lines
            [databases]
            app = host=10.0.0.1,10.0.0.2 port=5432 dbname='a ''b' user=ada password=secret pool_size=7
            "odd ""name" = host=h
            * = auth_user=x
            [users]
            ada = pool_mode=session max_user_connections=3
            [peers]
            1 = host=peer
            [pgbouncer]
            listen_port=6432
            %include other.ini
            admin_users = ada, grace
            """));
        seeds.add(ascii("\"ada\" \"pa\"\"ss\"\n\"grace\" \"md5" + "0a".repeat(16) + "\" ; rest\n\"none\" \"\"\n"));
        seeds.add(ascii("host=h port = 5 password='it''s' user=u"));
        return seeds;
    }

    static List<byte[]> hba() {
        return List.of(ascii("""
            # TYPE DATABASE USER ADDRESS METHOD
            local all all peer map=m
            local replication,"all" "a b",/^ad.*$ trust
            host all all 127.0.0.1/32 md5
            hostssl app,sameuser ada 10.0.0.0 255.0.0.0 cert map="m x" clientname=CN
            hostnossl all all ::1/128 scram-sha-256
            host all all samenet reject
            host all all 0.0.0.0/0 ldap ldapserver=h ldapprefix="cn=" ldapsuffix=",dc=x"
            host all \\
              all all password
            """), ascii("""
                m ada ada
                m /^(.*)@x$ \\1
                "m x" "a b" all
                other /x /^y$
                """));
    }

    static List<byte[]> sql() {
        List<byte[]> seeds = new ArrayList<>();
        for (Path corpus : List.of(ROUTING, OWN.resolve("catalog/statements.txt"))) {
            for (String line : lines(corpus)) {
                if (!line.isEmpty() && !line.startsWith("== ") && !line.startsWith("# ")) {
                    seeds.add(behind(utf8(line.replace('⏎', '\n').replace('→', '\t')), 0));
                }
            }
        }
        for (String repeated :
                List.of("(", "/*", "'", "\"", "$a$", "$a", "E'\\", "--\n", "set_config('a',", "SET a=b;", "a.", "[")) {
            seeds.add(behind(utf8(repeated), 0xf));
        }
        seeds.add(
                behind(utf8("BEGIN IF x THEN SELECT touch(1); PERFORM set_config('a', 'b', false); END IF; END"), 0xe));
        return seeds;
    }

    static List<byte[]> console() {
        List<byte[]> seeds = new ArrayList<>();
        ConsoleFuzz.words().forEach(word -> seeds.add(behind(utf8("SHOW " + word + ";"), 0)));
        for (String text : List.of(
                "PAUSE app FOR 5",
                "RESUME \"a \"\"b\"",
                "KILL app;",
                "KILL_CLIENT 17",
                "SET listen_backlog = '12'",
                "set query_timeout to 5 -- x",
                "SHUTDOWN WAIT_FOR_CLIENTS",
                "BEGIN; ",
                "select version()",
                "SHOW TRANSACTION ISOLATION LEVEL",
                "EXPLAIN ROUTE FOR \"app\" SELECT 1",
                "EXPLAIN ROUTE FOR app DELETE FROM x",
                "EXPLAIN ROUTE AS \"somebody\" SELECT 1",
                "RELOAD /* now */ ;;")) {
            seeds.add(behind(utf8(text), 0));
        }
        for (String repeated :
                List.of("/* ", "-- \n", "\"", "''", "EXPLAIN ROUTE ", "EXPLAIN ROUTE FOR \"a", "= ", " ;", "\u00df")) {
            seeds.add(behind(utf8(repeated), 0xf));
        }
        return seeds;
    }

    /** What one side said in each recorded conversation, as messages with a type. */
    private static List<byte[]> recorded(char side) {
        List<byte[]> streams = new ArrayList<>();
        files(WIRE.resolve("recordings/18"), ".hex").forEach(file -> {
            StringBuilder stream = new StringBuilder();
            for (String line : lines(file)) {
                String[] parts = line.split(" ", 3);
                boolean typed = parts.length == 3 && !parts[2].startsWith("Startup") && !parts[2].endsWith("Request");
                if (typed && line.charAt(0) == side && parts[1].length() >= 10) {
                    stream.append(parts[1]);
                }
            }
            streams.add(hex(stream.toString()));
        });
        return streams;
    }

    /** What chooses, and behind it the rest. */
    private static byte[] behind(byte[] rest, int... choices) {
        ByteBuf all = Unpooled.buffer();
        for (int choice : choices) {
            all.writeByte(choice);
        }
        return ByteBufUtil.getBytes(all.writeBytes(rest));
    }

    private static Stream<Path> files(Path folder, String ending) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(Path file) {
        return new String(bytes(file), StandardCharsets.UTF_8).lines().toList();
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
