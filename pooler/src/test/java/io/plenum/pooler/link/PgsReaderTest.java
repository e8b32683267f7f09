package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.closePortal;
import static io.plenum.testbed.Frames.copyData;
import static io.plenum.testbed.Frames.copyDone;
import static io.plenum.testbed.Frames.copyFail;
import static io.plenum.testbed.Frames.describeStatement;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.flush;
import static io.plenum.testbed.Frames.functionCall;
import static io.plenum.testbed.Frames.join;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static io.plenum.testbed.Frames.terminate;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.link.PgsScript.Step;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PgsReaderTest {
    @Test
    void everyMessageBecomesTheFrameOfTheProtocol() {
        assertThat(sent("""
            Parse s1 "SELECT $1::int" 23
            Bind "" s1 ["5", null]
            Describe S s1
            Execute p1 7
            Close P ""
            Flush
            CopyData "1\\tx\\n"
            CopyDone
            CopyFail "no"
            FunctionCall 870 [LOUD]
            Query "SELECT 1"
            Sync
            Terminate
            0x5100ff
            -- end
            """))
                .containsExactly(join(
                        parse("s1", "SELECT $1::int", 23),
                        bind("", "s1", "5", null),
                        describeStatement("s1"),
                        execute("p1", 7),
                        closePortal(""),
                        flush(),
                        copyData(new byte[] {'1', '\t', 'x', '\n'}),
                        copyDone(),
                        copyFail("no"),
                        functionCall(870, "LOUD"),
                        query("SELECT 1"),
                        sync(),
                        terminate(),
                        new byte[] {'Q', 0, -1}));
    }

    @Test
    void formatsStandBehindTheValues() {
        assertThat(sent("Bind \"\" s1 [0x00000001, x] in 1,0 out 1\n-- nothing"))
                .containsExactly(bind(
                        "", "s1", new int[] {1, 0}, List.of(new byte[] {0, 0, 0, 1}, new byte[] {'x'}), new int[] {1}));
    }

    @Test
    void textsCanBeRepeatedCountedAndAdded() {
        assertThat(sent("Query \"a\"*3 + each(3, \", \", \"c#\") + 0x21")).containsExactly(query("aaac1, c2, c3!"));
    }

    @Test
    void blankLineWaitsForWhatIsOwed() {
        assertThat(steps("Query \"SELECT 1\"\nSync\nFunctionCall 1 []\nFlush\n\nSync"))
                .filteredOn(step -> !(step instanceof Step.Send))
                .containsExactly(new Step.Ready(3), new Step.Ready(1));
    }

    @Test
    void waitsAreSaidBehindTwoDashes() {
        assertThat(steps("""
            Sync
            -- ready 3
            Flush
            -- until s
            Flush
            -- nothing
            -- end
            cancel
            meanwhile "x"
            stranger "y"
            """))
                .filteredOn(step -> !(step instanceof Step.Send))
                .containsExactly(
                        new Step.Ready(3),
                        new Step.Until('s'),
                        new Step.End(),
                        new Step.Cancel(),
                        new Step.Meanwhile("x"),
                        new Step.Stranger("y"));
    }

    @Test
    void blockIsReadAsOftenAsItSays() {
        assertThat(sent("repeat 2 {\nQuery \"SELECT {i}\"\n\n}")).containsExactly(query("SELECT 1"), query("SELECT 2"));
    }

    @Test
    void commentAboveAScriptIsItsReason() {
        var scripts = PgsReader.read(
                "f.pgs", "# not this\n\n# because\n# of it\n== a\nlogin DateStyle \"ISO\"\nSync\n== b\nSync");

        assertThat(scripts).extracting(PgsScript::name).containsExactly("a", "b");
        assertThat(scripts).extracting(PgsScript::reason).containsExactly("because of it", "");
        assertThat(scripts).extracting(PgsScript::place).containsExactly("f.pgs:5", "f.pgs:8");
        assertThat(scripts.getFirst().login()).containsEntry("DateStyle", "ISO").hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        Querry "SELECT 1"          | 2: Querry is no message
        Query "SELECT 1            | 2: the text has no end
        Query SELECT 1             | 2: a text is missing
        Query "a\\qb"              | 2: \\q is not known
        Query "SELECT 1" x         | 2: nothing is expected at "x"
        Query "x"*999999999        | 2: so much is not sent
        Describe X s1              | 2: S for a statement or P for a portal
        Execute "" many            | 2: a number of rows is no number
        Bind "" s1 ["1"            | 2: a comma or ] is missing
        Bind "" s1 "1"             | 2: a list is missing
        Flush                      | 2: no message before this owes a ReadyForQuery
        -- sometime                | 2: one waits for ready, until, end or nothing
        -- until CommandComplete   | 2: a type of message is one letter
        0x5                        | 2: bytes are an even number
        repeat 3 {                 | 2: the block has no }
        repeat 3                   | 2: a { is missing
        """)
    void malformedLineIsToldWithFileAndLine(String line, String told) {
        assertThatThrownBy(() -> PgsReader.read("f.pgs", "== a\n" + line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("f.pgs:" + told);
    }

    @Test
    void malformedScriptIsToldWithFileAndLine() {
        assertThatThrownBy(() -> PgsReader.read("f.pgs", "Sync"))
                .hasMessageContaining("f.pgs:1: before the first script");
        assertThatThrownBy(() -> PgsReader.read("f.pgs", "== a\nSync\n== a\nSync"))
                .hasMessageContaining("f.pgs:3: there is a script of this name already");
        assertThatThrownBy(() -> PgsReader.read("f.pgs", "== a\n== b\nSync"))
                .hasMessageContaining("\"a\" says nothing");
        assertThatThrownBy(() -> PgsReader.read("f.pgs", "== a\nSync\n\nlogin DateStyle \"ISO\""))
                .hasMessageContaining("f.pgs:4: login belongs to the beginning");
        assertThatThrownBy(() -> PgsReader.read("f.pgs", "== a\nSync\nmeanwhile \"x\""))
                .hasMessageContaining("f.pgs:3: send first what is collected");
    }

    private static List<Step> steps(String script) {
        return PgsReader.read("f.pgs", "== a\n" + script).getFirst().steps();
    }

    private static List<byte[]> sent(String script) {
        return steps(script).stream()
                .filter(Step.Send.class::isInstance)
                .map(step -> ((Step.Send) step).bytes())
                .toList();
    }
}
