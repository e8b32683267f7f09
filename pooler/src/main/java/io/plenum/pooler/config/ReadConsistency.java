package io.plenum.pooler.config;

/** What a read must have seen: {@code read_consistency}. */
public enum ReadConsistency implements Choice {
    /** Nothing in particular. */
    EVENTUAL("eventual"),
    /** The client's own commits. */
    SESSION("session"),
    /** The client's own commits, and never less than an earlier read. */
    MONOTONIC("monotonic"),
    /** All commits through this pooler. */
    POD("pod"),
    /** All commits of the cluster. */
    CLUSTER("cluster");

    private final String word;

    ReadConsistency(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
