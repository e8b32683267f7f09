package io.plenum.pooler.config;

/** What proves a user: a password or something made from one. Never printed: {@code toString} is stars. */
public sealed interface Secret {
    /** The password itself; not empty. */
    record Plain(String password) implements Secret {
        @Override
        public String toString() {
            return "***";
        }
    }

    /** MD5 of password and user name: 32 lower-case hexadecimal digits, without PostgreSQL's prefix {@code md5}. */
    record Md5(String hex) implements Secret {
        @Override
        public String toString() {
            return "***";
        }
    }

    /** {@code SCRAM-SHA-256$iterations:salt$storedKey:serverKey}, as pg_authid holds it; its shape has been checked. */
    record Scram(String text) implements Secret {
        @Override
        public String toString() {
            return "***";
        }
    }
}
