package io.plenum.routing.causal;

/** Positions in PostgreSQL's WAL, as bytes from its beginning. */
public final class Lsn {
    /** What {@link #parse} answers to a text that is no position. */
    public static final long MALFORMED = -1;

    /** XLogPageHeaderData, and XLogLongPageHeaderData at the start of a segment, both aligned to 8 bytes. */
    private static final int HEADER = 24;

    private static final int LONG_HEADER = 40;

    private Lsn() {}

    /** Two hexadecimal words of 32 bits with a slash between, as PostgreSQL writes and reads the type pg_lsn. */
    public static long parse(String text) {
        int slash = text.indexOf('/');
        if (!isWord(text, 0, slash) || !isWord(text, slash + 1, text.length())) {
            return MALFORMED;
        }
        long high = Long.parseLong(text, 0, slash, 16);
        long low = Long.parseLong(text, slash + 1, text.length(), 16);
        return high << 31 << 1 | low;
    }

    private static boolean isWord(String text, int start, int end) {
        if (end <= start || end - start > 8) {
            return false;
        }
        for (int i = start; i < end; i++) {
            if (Character.digit(text.charAt(i), 16) < 0 || text.charAt(i) > 'f') {
                return false;
            }
        }
        return true;
    }

    public static String format(long lsn) {
        return "%X/%X".formatted(lsn >>> 32, lsn & 0xFFFF_FFFFL);
    }

    /**
     * The position that a standby reaches when it has replayed all that stands before {@code lsn}. A primary that has just
     * filled a page says that it inserts behind the header of the next, which no standby replays before there is a record.
     *
     * @param pageBytes the server's wal_block_size
     * @param segmentBytes the server's wal_segment_size
     */
    public static long reachable(long lsn, int pageBytes, long segmentBytes) {
        long inPage = lsn % pageBytes;
        if (inPage == HEADER) {
            return lsn - HEADER;
        }
        return inPage == LONG_HEADER && lsn % segmentBytes == LONG_HEADER ? lsn - LONG_HEADER : lsn;
    }
}
