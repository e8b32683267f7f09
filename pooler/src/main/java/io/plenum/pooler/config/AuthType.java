package io.plenum.pooler.config;

/** How clients prove who they are: {@code auth_type}. */
public enum AuthType implements Choice {
    /** No proof, and the name given is ignored; each database names its own user. */
    ANY("any"),
    /** No proof; the name must be known. */
    TRUST("trust"),
    /** The password itself. */
    PLAIN("plain"),
    /** MD5 of password and salt; a user with a SCRAM secret gets SCRAM. */
    MD5("md5"),
    /** SCRAM-SHA-256. */
    SCRAM_SHA_256("scram-sha-256"),
    /** The common name of a client certificate. */
    CERT("cert"),
    /** As the rules of auth_hba_file say. */
    HBA("hba"),
    /** An LDAP server. */
    LDAP("ldap"),
    /** The PAM of the machine. */
    PAM("pam");

    private final String word;

    AuthType(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
