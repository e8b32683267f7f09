package io.plenum.pooler.net;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * OpenSSL's language for lists of ciphers, over the suites that our engines have.
 *
 * <p>Elements stand with colons, commas or blanks between: names of suites (OpenSSL's or the registered ones) and groups
 * (HIGH, ECDHE, AESGCM, SHA256 …), several of which joined by {@code +} mean those in all of them. {@code !} in front bans for
 * good, {@code -} takes out, {@code +} moves to the end. A word that means nothing here chooses nothing, as with OpenSSL.
 * Manual: openssl-ciphers(1).
 */
final class CipherSuites {
    /** What libtls, and so PgBouncer, means by these words. */
    private static final String SECURE = "HIGH+ECDHE:HIGH+DHE:!aNULL";

    private static final String COMPATIBLE = "HIGH+ECDHE:HIGH+DHE:HIGH:!aNULL";

    private CipherSuites() {}

    /** Whether the setting leaves the choice to the engine. */
    static boolean isDefault(String setting) {
        return switch (setting.strip().toLowerCase(Locale.ROOT)) {
            case "", "default", "fast", "normal" -> true;
            default -> false;
        };
    }

    /** The suites of TLS 1.2 and before that the setting chooses among {@code known}, in its order; by registered name. */
    static List<String> choose(String setting, Collection<String> known) {
        List<String> older =
                known.stream().filter(name -> name.contains("_WITH_")).toList();
        Set<String> chosen = new LinkedHashSet<>();
        Set<String> banned = new LinkedHashSet<>();
        String text = switch (setting.strip().toLowerCase(Locale.ROOT)) {
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
            List<String> meant = meant(operates ? element.substring(1) : element, older);
            switch (operator) {
                case '!' -> {
                    banned.addAll(meant);
                    chosen.removeAll(meant);
                }
                case '-' -> meant.forEach(chosen::remove);
                case '+' -> {
                    for (String suite : meant) {
                        if (chosen.remove(suite)) {
                            chosen.add(suite);
                        }
                    }
                }
                default -> {
                    for (String suite : meant) {
                        if (!banned.contains(suite)) {
                            chosen.add(suite);
                        }
                    }
                }
            }
        }
        return List.copyOf(chosen);
    }

    /** The suites of TLS 1.3 that the setting names, in its order. */
    static List<String> choose13(String setting, Collection<String> known) {
        List<String> chosen = new ArrayList<>();
        for (String name : setting.split("[:,\\s]+", -1)) {
            String upper = name.toUpperCase(Locale.ROOT);
            if (known.contains(upper) && !upper.contains("_WITH_") && !chosen.contains(upper)) {
                chosen.add(upper);
            }
        }
        return chosen;
    }

    private static List<String> meant(String element, List<String> known) {
        String[] groups = element.split("\\+", -1);
        return known.stream()
                .filter(suite -> {
                    for (String group : groups) {
                        if (!isIn(suite, group)) {
                            return false;
                        }
                    }
                    return true;
                })
                .toList();
    }

    private static boolean isIn(String suite, String group) {
        if (suite.equalsIgnoreCase(group) || openSslName(suite).equalsIgnoreCase(group)) {
            return true;
        }
        String exchange = suite.substring(suite.indexOf('_') + 1, suite.indexOf("_WITH_"));
        String cipher = suite.substring(suite.indexOf("_WITH_") + "_WITH_".length());
        return switch (group) {
            case "ALL", "COMPLEMENTOFDEFAULT" -> !cipher.startsWith("NULL");
            case "DEFAULT" -> isHigh(cipher) && !exchange.contains("anon");
            case "HIGH" -> isHigh(cipher);
            case "MEDIUM" -> cipher.contains("RC4") || cipher.contains("SEED") || cipher.contains("IDEA");
            case "LOW", "EXPORT", "EXP" -> cipher.contains("DES_CBC") && !cipher.contains("3DES");
            case "aNULL" -> exchange.contains("anon");
            case "eNULL", "NULL" -> cipher.startsWith("NULL");
            case "ECDHE", "EECDH", "kECDHE", "kEECDH" -> exchange.startsWith("ECDHE");
            case "ECDH" -> exchange.startsWith("ECDH");
            case "DHE", "EDH", "kDHE", "kEDH" -> exchange.startsWith("DHE");
            case "DH" -> exchange.startsWith("DH");
            case "kRSA", "RSA" -> exchange.equals("RSA");
            case "aRSA" -> exchange.endsWith("RSA");
            case "aECDSA", "ECDSA" -> exchange.endsWith("ECDSA");
            case "PSK", "kPSK", "aPSK" -> exchange.contains("PSK");
            case "DSS", "aDSS" -> exchange.endsWith("DSS");
            case "AES" -> cipher.startsWith("AES");
            case "AES128" -> cipher.startsWith("AES_128");
            case "AES256" -> cipher.startsWith("AES_256");
            case "AESGCM" -> cipher.contains("GCM");
            case "AESCCM" -> cipher.contains("CCM");
            case "CHACHA20" -> cipher.startsWith("CHACHA20");
            case "CAMELLIA" -> cipher.startsWith("CAMELLIA");
            case "3DES" -> cipher.startsWith("3DES");
            case "DES" -> cipher.startsWith("DES");
            case "RC4" -> cipher.startsWith("RC4");
            case "MD5" -> cipher.endsWith("MD5");
            case "SHA", "SHA1" -> cipher.endsWith("_SHA");
            case "SHA256" -> cipher.endsWith("CBC_SHA256");
            case "SHA384" -> cipher.endsWith("CBC_SHA384");
            case "TLSv1.2" -> !cipher.endsWith("_SHA") && !cipher.endsWith("MD5");
            case "SSLv3", "TLSv1", "TLSv1.0" -> cipher.endsWith("_SHA") || cipher.endsWith("MD5");
            default -> false;
        };
    }

    private static boolean isHigh(String cipher) {
        return cipher.startsWith("AES") || cipher.startsWith("CHACHA20") || cipher.startsWith("CAMELLIA");
    }

    /** The name by which OpenSSL and so PgBouncer's SHOW know a suite: those of TLS 1.3 have but one. */
    static String openSslName(String suite) {
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
