package io.plenum.pooler.server;

import org.jspecify.annotations.Nullable;

/** What proves a user to PostgreSQL; never printed. Immutable; any thread. */
public sealed interface ServerCredential {
    /** Nothing: trust, or a server that asks for no password. */
    record None() implements ServerCredential {
        @Override
        public String toString() {
            return "None";
        }
    }

    /** The password itself: serves every method. */
    record Password(String password) implements ServerCredential {
        @Override
        public String toString() {
            return "Password[***]";
        }
    }

    /** {@code md5} and 32 hexadecimal digits, as userlist.txt may hold it: serves md5 alone. */
    record Md5(String secret) implements ServerCredential {
        @Override
        public String toString() {
            return "Md5[***]";
        }
    }

    /** What a client's own SCRAM login gave away to whoever holds the verifier: serves SCRAM alone. */
    record ScramKeys(byte[] clientKey, byte[] serverKey) implements ServerCredential {
        @Override
        public String toString() {
            return "ScramKeys[***]";
        }
    }

    /** The password, where there is one. */
    default @Nullable String passwordOrNull() {
        return this instanceof Password(String password) ? password : null;
    }
}
