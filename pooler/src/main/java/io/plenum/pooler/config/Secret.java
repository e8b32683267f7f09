package io.plenum.pooler.config;

import io.plenum.wire.AsciiCase;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What proves a user: a password or something made from one. Never printed: {@code toString} is stars. */
public sealed interface Secret {
    /** The password itself; not empty. */
    record Plain(String password) implements Secret {
        @Override
        public String toString() {
            return "***";
        }
    }

    /** MD5 of password and user name: 32 lower-case hexadecimal digits, without PostgreSQL's prefix {@code md5}. */
    record Md5(String hex) implements Secret {
        @Override
        public String toString() {
            return "***";
        }
    }

    /** {@code SCRAM-SHA-256$iterations:salt$storedKey:serverKey}, as pg_authid holds it; its shape has been checked. */
    record Scram(String text) implements Secret {
        @Override
        public String toString() {
            return "***";
        }
    }

    /**
     * What a text is that a user list or {@code auth_query} holds: a SCRAM secret or an MD5 hash in PostgreSQL's form, else
     * the password itself. Null, which no password fits, for an empty text and for a damaged SCRAM secret.
     */
    static @Nullable Secret of(String text) {
        if (text.isEmpty()) {
            return null;
        }
        var md5 = Forms.MD5.matcher(text);
        if (md5.matches()) {
            return new Md5(AsciiCase.lower(md5.group(1)));
        }
        if (text.startsWith(Forms.SCRAM_PREFIX)) {
            return Forms.SCRAM.matcher(text).matches() ? new Scram(text) : null;
        }
        return new Plain(text);
    }

    /** How secrets look. */
    final class Forms {
        static final String SCRAM_PREFIX = "SCRAM-SHA-256$";

        private static final Pattern MD5 = Pattern.compile("md5([0-9a-fA-F]{32})");
        private static final Pattern SCRAM = Pattern.compile(
                "SCRAM-SHA-256\\$[1-9][0-9]{0,8}:[A-Za-z0-9+/]+={0,2}\\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=");

        private Forms() {}
    }
}
