package io.plenum.pooler;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** Which Plenum this is. */
public final class Version {
    private static final String TEXT = read();

    private Version() {}

    /** As in the jar's own description; {@code development} when run from compiled classes. */
    static String text() {
        return TEXT;
    }

    private static String read() {
        try (InputStream in = Version.class.getResourceAsStream("/META-INF/maven/io.plenum/pooler/pom.properties")) {
            Properties properties = new Properties();
            if (in != null) {
                properties.load(in);
            }
            return properties.getProperty("version", "development");
        } catch (IOException e) {
            return "development";
        }
    }
}
