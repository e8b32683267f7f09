package io.plenum.pooler.drivers;

/** Something that an application does at one address. */
@FunctionalInterface
interface Scenario {
    /** Does it and notes whatever an application can see; of two runs each must note the same. */
    void run(Way way, Notes notes) throws Exception;
}
