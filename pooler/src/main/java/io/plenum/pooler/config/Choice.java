package io.plenum.pooler.config;

/** A constant that an operator writes as a word, such as {@code scram-sha-256}. */
public interface Choice {
    /** The word in the file, in SHOW and in the manual; read without regard to case, as PgBouncer does. */
    String word();
}
