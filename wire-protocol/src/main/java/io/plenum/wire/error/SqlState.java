package io.plenum.wire.error;

/** The SQLSTATEs that Plenum itself answers with (manual, "PostgreSQL Error Codes"). */
public enum SqlState {
    PROTOCOL_VIOLATION("08P01");

    private final String code;

    SqlState(String code) {
        this.code = code;
    }

    public String code() {
        return code;
    }
}
