package io.plenum.pooler.link;

/** Whether statements of a link gave names of the database a meaning. Confined to its event loop. */
final class Definitions {
    /** Statements that define something temporary, which only its own client sees, and are not answered. */
    private int temporaries;

    private boolean defined;

    /** A statement that defines something temporary is sent. */
    void onTemporary() {
        temporaries++;
    }

    /** A statement that defines something was answered; whether that is not temporary. */
    boolean onAnswered() {
        boolean lasting = temporaries == 0;
        temporaries -= lasting ? 0 : 1;
        defined |= lasting;
        return lasting;
    }

    /** Whether others are to hear of something; says so once. */
    boolean take() {
        boolean taken = defined;
        temporaries = 0;
        defined = false;
        return taken;
    }
}
