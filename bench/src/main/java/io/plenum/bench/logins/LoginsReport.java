package io.plenum.bench.logins;

import java.util.List;

/**
 * How the logins went.
 *
 * @param good logins with the right password
 * @param failed those of them that did not get in
 * @param medianMillis what half of them took at most
 * @param worstMillis what 99 of 100 took at most
 * @param wrong logins with a wrong password, or of nobody, that were answered
 * @param letIn those of them that got in
 * @param held connections that did not log in, at the end
 * @param asked look-ups in PostgreSQL, a second; negative when that is not known
 * @param findings the first things that were wrong, in words
 */
public record LoginsReport(
        int good,
        int failed,
        double medianMillis,
        double worstMillis,
        int wrong,
        int letIn,
        int held,
        double asked,
        List<String> findings) {

    public boolean isWithin(int limitMillis) {
        return good > 0 && failed == 0 && letIn == 0 && worstMillis <= limitMillis;
    }

    /** The line for machines. */
    public String machineLine() {
        return "logins: good=%d failed=%d p50_ms=%.1f p99_ms=%.1f wrong=%d let_in=%d half_open=%d auth_queries_per_s=%.1f"
                .formatted(good, failed, medianMillis, worstMillis, wrong, letIn, held, asked);
    }
}
