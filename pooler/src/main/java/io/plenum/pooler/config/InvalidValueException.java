package io.plenum.pooler.config;

/** A text is not a value of its setting; the message ends the sentence "NAME = TEXT ...". */
public final class InvalidValueException extends Exception {
    private static final long serialVersionUID = 1;

    public InvalidValueException(String message) {
        super(message, null, false, false);
    }
}
