package io.plenum.pooler.config;

/** Which of syslog's drawers the log goes to: {@code syslog_facility}. */
public enum SyslogFacility implements Choice {
    USER("user", 1),
    DAEMON("daemon", 3),
    AUTH("auth", 4),
    AUTHPRIV("authpriv", 10),
    LOCAL0("local0", 16),
    LOCAL1("local1", 17),
    LOCAL2("local2", 18),
    LOCAL3("local3", 19),
    LOCAL4("local4", 20),
    LOCAL5("local5", 21),
    LOCAL6("local6", 22),
    LOCAL7("local7", 23);

    private final String word;
    private final int number;

    SyslogFacility(String word, int number) {
        this.word = word;
        this.number = number;
    }

    @Override
    public String word() {
        return word;
    }

    /** As in syslog.h, without its shift by three bits. */
    public int number() {
        return number;
    }
}
