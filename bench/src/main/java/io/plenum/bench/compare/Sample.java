package io.plenum.bench.compare;

/**
 * One run of one workload against one target.
 *
 * @param transactions how many ended within the run
 * @param perSecond transactions per second, without the time of the first connect
 * @param p50Micros latency of a transaction as the client saw it
 * @param userMicros processor time of the pooler in its own code per transaction; 0 without a pooler
 * @param systemMicros processor time of the pooler in the kernel per transaction
 * @param residentMib memory of the pooler at the end
 * @param idleShare of the machine's processors during the run, 0 to 1
 * @param stealShare of the machine's processors during the run, 0 to 1
 */
record Sample(
        long transactions,
        double perSecond,
        long p50Micros,
        long p95Micros,
        long p99Micros,
        double userMicros,
        double systemMicros,
        double residentMib,
        double idleShare,
        double stealShare) {

    double cpuMicros() {
        return userMicros + systemMicros;
    }
}
