package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
import io.plenum.wire.Limits;

/** What FunctionCall runs: it gives a number (pg_proc.dat), and those of PostgreSQL's own functions are the same everywhere. */
final class CalledFunction {
    /** Functions that somebody has defined are numbered from here (FirstNormalObjectId). */
    private static final int FIRST_DEFINED = 16384;

    private CalledFunction() {}

    /** The number in a FunctionCall; 0, which is none, where it is cut short. */
    static int number(ByteBuf bytes, int start, int end) {
        int at = start + Limits.HEADER;
        return end - at < Integer.BYTES ? 0 : bytes.getInt(at);
    }

    static Reason reason(int number) {
        return switch (number) {
            case 1574, 1575, 1576, 1765, 2559 -> Reason.SEQUENCE; // nextval, currval, setval, lastval
            case 1599 -> Reason.SESSION_STATE; // setseed
            case 2078 -> Reason.SESSION_DOUBT; // set_config
            // pg_advisory_lock, pg_try_advisory_lock, pg_advisory_unlock, shared and not, and pg_advisory_unlock_all
            case 2880, 2881, 2882, 2883, 2884, 2885, 2886, 2887, 2888, 2889, 2890, 2891, 2892 -> Reason.SESSION_LOCK;
            default -> Reason.FUNCTION_CALL;
        };
    }

    static int traits(int number) {
        if (number == 1575 || number == 2559) {
            return Traits.ASKS_SEQUENCE_MEMORY;
        }
        return Integer.compareUnsigned(number, FIRST_DEFINED) >= 0 ? Traits.RUNS_UNKNOWN_CODE : 0;
    }
}
