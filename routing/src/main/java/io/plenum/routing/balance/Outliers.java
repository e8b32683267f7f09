package io.plenum.routing.balance;

import java.util.List;

/** Which candidates are left out for what was seen of them. Pure. */
public final class Outliers {
    /** One that answers so many times slower than the middle of all is out. */
    static final double TOO_SLOW = 5;

    /** A difference that is not worth it, however many times it is. */
    static final double SLOW_NANOS = 20e6;

    private Outliers() {}

    /**
     * Puts those out that answer far more slowly than the others; of fewer than three nobody knows which is the outlier. Says
     * whether there were any.
     */
    public static boolean judge(List<Standing> all, long nowNanos) {
        double[] means = all.stream()
                .mapToDouble(Standing::meanNanos)
                .filter(mean -> mean > 0)
                .sorted()
                .toArray();
        if (means.length < 3) {
            return false;
        }
        double middle = means[(means.length - 1) / 2];
        boolean any = false;
        for (Standing one : all) {
            double mean = one.meanNanos();
            if (mean > TOO_SLOW * middle && mean - middle > SLOW_NANOS && !one.isOut(nowNanos)) {
                one.putOut(nowNanos);
                any = true;
            }
        }
        return any;
    }

    /**
     * Which of them take part. Those that are silent do not. Of the others that should be out so many are that, with the
     * silent ones, it is at most half of all: the rest carry their work, and more of it would crush them.
     */
    public static boolean[] fit(List<Standing> all, long nowNanos) {
        boolean[] fit = new boolean[all.size()];
        int spare = all.size() / 2;
        for (int i = 0; i < fit.length; i++) {
            fit[i] = !all.get(i).isSilent();
            spare -= fit[i] ? 0 : 1;
        }
        for (int i = 0; i < fit.length; i++) {
            if (fit[i] && all.get(i).isOut(nowNanos) && spare > 0) {
                fit[i] = false;
                spare--;
            }
        }
        return fit;
    }
}
