package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.sql.Letters;

/**
 * What code leaves in the process of a server where nothing undoes it but its end, or what has to be looked for: a seed,
 * statements that SQL prepared, and those that it deallocated. A text is told by its letters, in a string too, for that is how
 * code stands in DO; what it puts together from pieces it is not.
 */
public final class HiddenState {
    private static final Letters SEED = new Letters("setseed");
    private static final Letters PREPARE = new Letters("prepare");
    private static final Letters DEALLOCATE = new Letters("deallocate");

    private HiddenState() {}

    /** Whether the code in {@code [start, end)} may leave such. */
    public static boolean isIn(ByteBuf code, int start, int end) {
        return SEED.isIn(code, start, end) || PREPARE.isIn(code, start, end) || DEALLOCATE.isIn(code, start, end);
    }
}
