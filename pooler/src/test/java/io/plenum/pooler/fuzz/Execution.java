package io.plenum.pooler.fuzz;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * What one execution of a target may take: time of the processor, memory, buffers. Beyond that the target fails, and the fuzzer
 * keeps the input.
 *
 * <p>Also watches the heap over all executions of the process: it must stay flat. Used by the one thread of a fuzzer.
 */
public final class Execution {
    /** Far more than the slowest input of this size takes; a quadratic one takes far more. */
    private static final long MOST_CPU_NANOS = 1_000_000_000L;

    /** Whatever a length claims, so much is allocated for each byte that is there, and so much besides. */
    private static final long MOST_BYTES_PER_BYTE = 1024;

    private static final long MOST_BYTES = 4 << 20;

    /** The first executions load classes and instrument them. */
    private static final int WARM_UP = 2_000;

    private static final int FIRST_LOOK_AT_THE_HEAP = 8_000;
    private static final long MOST_GROWTH = 8 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Where the buffers of targets come from: all must be given back. */
    public static final UnpooledByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false);

    private static long executions;
    private static long flatHeap;

    private Execution() {}

    /** Runs a target on an input and fails if it costs more than it may. */
    public static void of(byte[] input, Runnable target) {
        of(input.length, target);
    }

    /**
     * The same for what was made of an input. What costs too much is run once more and judged by that: the first to use a class
     * pays for its loading too, however late it comes.
     */
    public static void of(int length, Runnable target) {
        long allowed = MOST_BYTES + MOST_BYTES_PER_BYTE * length;
        Cost cost = Cost.of(target);
        executions++;
        boolean judged = executions > WARM_UP;
        if (judged && (cost.nanos() > MOST_CPU_NANOS || cost.bytes() > allowed)) {
            cost = Cost.of(target);
        }
        long buffers = ALLOCATOR.metric().usedHeapMemory() + ALLOCATOR.metric().usedDirectMemory();
        demand(buffers == 0, "%d bytes of buffers were not given back", buffers);
        demand(!judged || cost.nanos() <= MOST_CPU_NANOS, "took %d ns of the processor", cost.nanos());
        demand(!judged || cost.bytes() <= allowed, "allocated %d bytes for an input of %d", cost.bytes(), length);
        if (executions % FIRST_LOOK_AT_THE_HEAP == 0 && Long.bitCount(executions / FIRST_LOOK_AT_THE_HEAP) == 1) {
            lookAtTheHeap();
        }
    }

    /** What one run took of the processor and of the heap. */
    private record Cost(long nanos, long bytes) {
        static Cost of(Runnable target) {
            long bytes = THREADS.getCurrentThreadAllocatedBytes();
            long nanos = THREADS.getCurrentThreadCpuTime();
            target.run();
            return new Cost(
                    THREADS.getCurrentThreadCpuTime() - nanos, THREADS.getCurrentThreadAllocatedBytes() - bytes);
        }
    }

    private static void lookAtTheHeap() {
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) { // what is collected only now may free more
            System.gc();
            used = Math.min(
                    used,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        if (flatHeap == 0) {
            flatHeap = used;
        }
        demand(used <= flatHeap + MOST_GROWTH, "the heap grew from %d to %d bytes", flatHeap, used);
    }

    /** What must hold for every input. */
    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a library more
    public static void demand(boolean holds, String otherwise, Object... details) {
        if (!holds) {
            throw new AssertionError(otherwise.formatted(details));
        }
    }

    /** The same of two readings of the same bytes. */
    public static void demandSame(Object one, Object other, String what) {
        if (!one.equals(other)) {
            throw new AssertionError("%s:%n%s%n%s".formatted(what, one, other));
        }
    }

    /** The bytes inside a direct buffer that has others before and behind them; the caller releases it. */
    public static ByteBuf amidOthers(byte[] bytes, int before) {
        ByteBuf buffer = ALLOCATOR.directBuffer(before + bytes.length + 9);
        buffer.writeZero(before).setBytes(0, noise(before)).writeBytes(bytes).writeBytes(noise(9));
        return buffer;
    }

    private static byte[] noise(int length) {
        byte[] noise = new byte[length];
        Arrays.fill(noise, (byte) 'S'); // a letter of both sides
        return noise;
    }
}
