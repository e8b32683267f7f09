package io.plenum.routing;

import io.plenum.routing.sql.Term;

/**
 * Confined to its event loop: a call of {@code set_config} whose arguments are read. {@code set_config(name, value, true)}
 * ends with the transaction; any other third argument is taken for false.
 */
final class SettingCall {
    /** Of its arguments; 0 while there is no such call. */
    private int depth;

    private int commas;
    /** How many tokens its last argument has. */
    private int tokens;

    void clear() {
        depth = 0;
    }

    /** Its arguments stand on this level of parentheses. */
    void begin(int depth) {
        this.depth = depth;
        commas = 0;
        tokens = 0;
    }

    boolean isOpen() {
        return depth > 0;
    }

    /** Whether its arguments stand on this level. */
    boolean isAt(int depth) {
        return depth == this.depth && depth > 0;
    }

    /** To be called for each token, once it was looked at. */
    void countToken() {
        tokens++;
    }

    /** At a comma: whether it ends the name. */
    boolean isNameRead() {
        return commas == 0;
    }

    /** At a comma between its arguments. */
    void comma() {
        commas++;
        tokens = -1; // the comma itself is counted yet
    }

    /** At the parenthesis that ends it, whose last token was this: whether the setting ends with the transaction. */
    boolean close(Term last) {
        depth = 0;
        return commas == 2 && tokens == 1 && last == Term.TRUE;
    }
}
