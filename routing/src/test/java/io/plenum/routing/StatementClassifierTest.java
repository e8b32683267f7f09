package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.CharsetUtil;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StatementClassifierTest {
    private final StatementClassifier classifier = new StatementClassifier();

    @ParameterizedTest(name = "{0}")
    @MethodSource("corpus")
    void eachStatementOfTheCorpusHasTheReasonItIsLabelledWith(Corpus.Labelled labelled) {
        assertThat(classify(labelled.sql())).isEqualTo(labelled.reason());
    }

    static Stream<Corpus.Labelled> corpus() {
        return Corpus.statements().stream();
    }

    private Reason classify(String sql) {
        ByteBuf bytes = Unpooled.copiedBuffer(sql, CharsetUtil.UTF_8);
        return classifier.classify(bytes, 0, bytes.readableBytes());
    }
}
