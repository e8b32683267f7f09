package io.plenum.pooler.config;

import io.plenum.wire.AsciiCase;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/**
 * OpenSSL's language for lists of ciphers, over the suites that an engine has. Any thread.
 *
 * <p>Elements stand with colons, commas or blanks between: names of suites (OpenSSL's or the registered ones) and groups
 * (HIGH, ECDHE, AESGCM, SHA256 …), several of which joined by {@code +} mean those in all of them. {@code !} in front bans for
 * good, {@code -} takes out, {@code +} moves to the end. A word that means nothing here chooses nothing, as with OpenSSL.
 * Manual: openssl-ciphers(1).
 */
public final class CipherSuites {
    /** What libtls, and so PgBouncer, means by these words. */
    private static final String SECURE = "HIGH+ECDHE:HIGH+DHE:!aNULL";

    private static final String COMPATIBLE = "HIGH+ECDHE:HIGH+DHE:HIGH:!aNULL";

    private static final BitSet NONE = new BitSet();

    /** Those of Java's engine, read when somebody first asks. */
    private static final class OfJava {
        static final CipherSuites ALL = new CipherSuites(namesOfJava());
    }

    /** Of TLS 1.3, and of the versions before. */
    private final List<String> newest = new ArrayList<>();

    private final List<String> older = new ArrayList<>();

    /** Which of the older ones a name, registered or OpenSSL's, or a group means. */
    private final Map<String, BitSet> meanings = new HashMap<>();

    /** Of these, by their registered names, in the engine's order. */
    public CipherSuites(Collection<String> known) {
        for (String suite : known) {
            if (suite.contains("_WITH_")) {
                index(suite);
            } else if (!suite.endsWith("_SCSV")) {
                newest.add(suite);
            }
        }
    }

    private void index(String suite) {
        List<String> words = groups(suite);
        words.add(suite);
        words.add(openSslName(suite));
        for (String word : words) {
            meanings.computeIfAbsent(word, _ -> new BitSet()).set(older.size());
        }
        older.add(suite);
    }

    /** Those of Java's engine, which has all that BoringSSL has. */
    public static CipherSuites ofJava() {
        return OfJava.ALL;
    }

    /** Of a context that trusts nobody: the default one reads all authorities that Java trusts. */
    private static List<String> namesOfJava() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[0], new TrustManager[0], null);
            return Arrays.asList(context.getSupportedSSLParameters().getCipherSuites());
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("every JDK has TLS", impossible);
        }
    }

    /** Whether the setting leaves the choice to the engine. */
    public static boolean isDefault(String setting) {
        return switch (AsciiCase.lower(setting.strip())) {
            case "", "default", "fast", "normal" -> true;
            default -> false;
        };
    }

    /** All of TLS 1.3, by registered name. */
    public List<String> newest() {
        return List.copyOf(newest);
    }

    /** Those of TLS 1.3 that the setting names, in its order. */
    public List<String> chooseNewest(String setting) {
        List<String> chosen = new ArrayList<>();
        for (String name : setting.split("[:,\\s]+", -1)) {
            if (newest.contains(name) && !chosen.contains(name)) {
                chosen.add(name);
            }
        }
        return chosen;
    }

    /** Those of TLS 1.2 and before that the setting chooses, in its order; by registered name. */
    public List<String> choose(String setting) {
        List<Integer> chosen = new ArrayList<>();
        BitSet taken = new BitSet(); // chosen, or banned
        String text = switch (AsciiCase.lower(setting.strip())) {
            case "secure" -> SECURE;
            case "compat", "legacy" -> COMPATIBLE;
            case "all", "insecure" -> "ALL:!aNULL:!eNULL";
            default -> setting.strip();
        };
        for (String element : text.split("[:,\\s]+", -1)) {
            if (element.isEmpty() || element.startsWith("@")) {
                continue; // @STRENGTH sorts: the order of TLS 1.2 is the server's anyway
            }
            char operator = element.charAt(0);
            boolean operates = operator == '!' || operator == '-' || operator == '+';
            BitSet meant = meant(operates ? element.substring(1) : element);
            List<Integer> there = chosen.stream().filter(meant::get).toList();
            switch (operator) {
                case '!' -> {
                    chosen.removeAll(there);
                    taken.or(meant);
                }
                case '-' -> {
                    chosen.removeAll(there);
                    there.forEach(taken::clear);
                }
                case '+' -> {
                    chosen.removeAll(there);
                    chosen.addAll(there);
                }
                default -> {
                    meant.andNot(taken);
                    meant.stream().forEach(chosen::add);
                    taken.or(meant);
                }
            }
        }
        return chosen.stream().map(older::get).toList();
    }

    /** The older suites that are in all groups of the element. */
    private BitSet meant(String element) {
        BitSet meant = new BitSet();
        meant.set(0, older.size());
        for (String word : element.split("\\+", -1)) {
            meant.and(meanings.getOrDefault(word, NONE));
        }
        return meant;
    }

    /** The groups that a suite of TLS 1.2 or before is in. */
    private static List<String> groups(String suite) {
        String exchange = suite.substring(suite.indexOf('_') + 1, suite.indexOf("_WITH_"));
        String cipher = suite.substring(suite.indexOf("_WITH_") + "_WITH_".length());
        boolean isHigh = cipher.startsWith("AES") || cipher.startsWith("CHACHA20") || cipher.startsWith("CAMELLIA");
        List<String> words = new ArrayList<>();
        addIf(!cipher.startsWith("NULL"), words, "ALL", "COMPLEMENTOFDEFAULT");
        addIf(isHigh && !exchange.contains("anon"), words, "DEFAULT");
        addIf(isHigh, words, "HIGH");
        addIf(cipher.contains("RC4") || cipher.contains("SEED") || cipher.contains("IDEA"), words, "MEDIUM");
        addIf(cipher.contains("DES_CBC") && !cipher.contains("3DES"), words, "LOW", "EXPORT", "EXP");
        addIf(exchange.contains("anon"), words, "aNULL");
        addIf(cipher.startsWith("NULL"), words, "eNULL", "NULL");
        addIf(exchange.startsWith("ECDHE"), words, "ECDHE", "EECDH", "kECDHE", "kEECDH");
        addIf(exchange.startsWith("ECDH"), words, "ECDH");
        addIf(exchange.startsWith("DHE"), words, "DHE", "EDH", "kDHE", "kEDH");
        addIf(exchange.startsWith("DH"), words, "DH");
        addIf(exchange.equals("RSA"), words, "kRSA", "RSA");
        addIf(exchange.endsWith("RSA"), words, "aRSA");
        addIf(exchange.endsWith("ECDSA"), words, "aECDSA", "ECDSA");
        addIf(exchange.contains("PSK"), words, "PSK", "kPSK", "aPSK");
        addIf(exchange.endsWith("DSS"), words, "DSS", "aDSS");
        addIf(cipher.startsWith("AES"), words, "AES");
        addIf(cipher.startsWith("AES_128"), words, "AES128");
        addIf(cipher.startsWith("AES_256"), words, "AES256");
        addIf(cipher.contains("GCM"), words, "AESGCM");
        addIf(cipher.contains("CCM"), words, "AESCCM");
        addIf(cipher.startsWith("CHACHA20"), words, "CHACHA20");
        addIf(cipher.startsWith("CAMELLIA"), words, "CAMELLIA");
        addIf(cipher.startsWith("3DES"), words, "3DES");
        addIf(cipher.startsWith("DES"), words, "DES");
        addIf(cipher.startsWith("RC4"), words, "RC4");
        addIf(cipher.endsWith("MD5"), words, "MD5");
        addIf(cipher.endsWith("_SHA"), words, "SHA", "SHA1");
        addIf(cipher.endsWith("CBC_SHA256"), words, "SHA256");
        addIf(cipher.endsWith("CBC_SHA384"), words, "SHA384");
        addIf(!cipher.endsWith("_SHA") && !cipher.endsWith("MD5"), words, "TLSv1.2");
        addIf(cipher.endsWith("_SHA") || cipher.endsWith("MD5"), words, "SSLv3", "TLSv1", "TLSv1.0");
        return words;
    }

    private static void addIf(boolean holds, List<String> words, String... more) {
        if (holds) {
            words.addAll(Arrays.asList(more));
        }
    }

    /** The name by which OpenSSL and so PgBouncer's SHOW know a suite: those of TLS 1.3 have but one. */
    public static String openSslName(String suite) {
        int with = suite.indexOf("_WITH_");
        if (with < 0) {
            return suite;
        }
        String exchange = suite.substring(suite.indexOf('_') + 1, with).replace("DH_anon", "ADH");
        String cipher = suite.substring(with + "_WITH_".length())
                .replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305")
                .replace("3DES_EDE_CBC", "DES_CBC3")
                .replace("AES_128_CBC", "AES128")
                .replace("AES_256_CBC", "AES256")
                .replace("AES_128", "AES128")
                .replace("AES_256", "AES256");
        return ((exchange.equals("RSA") ? "" : exchange + "-") + cipher).replace('_', '-');
    }
}
