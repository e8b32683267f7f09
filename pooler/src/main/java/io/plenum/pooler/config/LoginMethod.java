package io.plenum.pooler.config;

import org.jspecify.annotations.Nullable;

/** One way in which a client proves who it is; the words are those of the method column of an hba file. */
public enum LoginMethod implements Choice {
    /** No proof, and the name does not count; not for hba. */
    ANY("any"),
    TRUST("trust"),
    REJECT("reject"),
    /** The password itself. */
    PASSWORD("password"),
    /** MD5 of password and salt; a user with a SCRAM secret gets SCRAM. */
    MD5("md5"),
    SCRAM_SHA_256("scram-sha-256"),
    /** The common name of a client certificate. */
    CERT("cert"),
    /** The user at the other end of a Unix socket. */
    PEER("peer"),
    LDAP("ldap"),
    PAM("pam"),
    /** What PostgreSQL knows and we do not: whom the line means is refused, and never passed on to a later line. */
    UNSUPPORTED("unsupported");

    private final String word;

    LoginMethod(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }

    /** The method of an hba file's word; null if PostgreSQL does not know it either. */
    static @Nullable LoginMethod ofHba(String word) {
        return switch (word) {
            case "trust" -> TRUST;
            case "reject" -> REJECT;
            case "password", "plain" -> PASSWORD;
            case "md5" -> MD5;
            case "scram-sha-256" -> SCRAM_SHA_256;
            case "cert" -> CERT;
            case "peer" -> PEER;
            case "ldap" -> LDAP;
            case "pam" -> PAM;
            case "gss", "sspi", "ident", "radius", "bsd", "oauth" -> UNSUPPORTED;
            default -> null;
        };
    }

    /** The one method of an {@code auth_type}; null for {@code hba}, whose rules say it. */
    public static @Nullable LoginMethod of(AuthType type) {
        return switch (type) {
            case ANY -> ANY;
            case TRUST -> TRUST;
            case PLAIN -> PASSWORD;
            case MD5 -> MD5;
            case SCRAM_SHA_256 -> SCRAM_SHA_256;
            case CERT -> CERT;
            case LDAP -> LDAP;
            case PAM -> PAM;
            case HBA -> null;
        };
    }
}
