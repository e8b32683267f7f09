package io.plenum.bench.balance;

import io.plenum.bench.process.BenchException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What of docs/balance.md the program makes: all behind a line that says so, and the picture. */
public final class BalancePage {
    private static final String BEGIN = "<!-- made by: ./plenum bench balance --write -->\n";

    private final Path text;
    private final Path picture;

    private BalancePage(Path docs) {
        text = docs.resolve("balance.md");
        picture = docs.resolve("balance.svg");
    }

    /** The page of the checkout that the current directory is in. */
    static BalancePage find() {
        for (Path here = Path.of("").toAbsolutePath(); here != null; here = here.getParent()) {
            Path docs = here.resolve("docs");
            if (Files.exists(docs.resolve("balance.md"))) {
                return new BalancePage(docs);
            }
        }
        throw new BenchException("no docs/balance.md here or above: --write is for a checkout");
    }

    /** What the page is to say, with the words before the tables as they are. */
    String expectedText() throws IOException {
        String now = Files.readString(text);
        int at = now.indexOf(BEGIN);
        if (at < 0) {
            throw new BenchException(text + " has no line " + BEGIN.strip());
        }
        return now.substring(0, at + BEGIN.length()) + "\n"
                + BalanceTables.all().strip() + "\n";
    }

    public Path text() {
        return text;
    }

    public Path picture() {
        return picture;
    }

    /** Writes both files. */
    void write() throws IOException {
        Files.writeString(text, expectedText());
        Files.writeString(picture, BalancePlot.svg());
    }
}
