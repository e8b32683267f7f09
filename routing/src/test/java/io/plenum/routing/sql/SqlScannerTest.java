package io.plenum.routing.sql;

import static io.plenum.routing.sql.Token.BROKEN;
import static io.plenum.routing.sql.Token.CAST;
import static io.plenum.routing.sql.Token.CLOSE;
import static io.plenum.routing.sql.Token.COMMA;
import static io.plenum.routing.sql.Token.DOT;
import static io.plenum.routing.sql.Token.ESCAPED;
import static io.plenum.routing.sql.Token.NUMBER;
import static io.plenum.routing.sql.Token.OPEN;
import static io.plenum.routing.sql.Token.OPERATOR;
import static io.plenum.routing.sql.Token.OTHER;
import static io.plenum.routing.sql.Token.PARAMETER;
import static io.plenum.routing.sql.Token.QUOTED;
import static io.plenum.routing.sql.Token.SEMICOLON;
import static io.plenum.routing.sql.Token.STRING;
import static io.plenum.routing.sql.Token.WORD;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SqlScannerTest {
    private final SqlScanner scanner = new SqlScanner();

    @Test
    void punctuationIsOneTokenEach() {
        assertThat(tokens("(),.;[]{}:::\\"))
                .containsExactly(OPEN, CLOSE, COMMA, DOT, SEMICOLON, OTHER, OTHER, OTHER, OTHER, CAST, OTHER, OTHER);
    }

    @Test
    void operatorsEndWhereACommentBegins() {
        assertThat(tokens("<>=")).containsExactly(OPERATOR);
        assertThat(tokens("+--x\n-")).containsExactly(OPERATOR, OPERATOR);
        assertThat(tokens("*/*x*/*")).containsExactly(OPERATOR, OPERATOR);
        assertThat(tokens("-/")).containsExactly(OPERATOR);
        assertThat(tokens("1-1")).containsExactly(NUMBER, OPERATOR, NUMBER);
    }

    @Test
    void commentsAreNoTokensAndNest() {
        assertThat(tokens("-- a ' \" /* \nx")).containsExactly(WORD);
        assertThat(tokens("-- a\rx")).containsExactly(WORD);
        assertThat(tokens("/* /* */ ' */x/**/")).containsExactly(WORD);
        assertThat(tokens("/*/ */x")).containsExactly(WORD);
        assertThat(tokens("/* /* */")).containsExactly(BROKEN);
        assertThat(tokens("/*/")).containsExactly(BROKEN);
        assertThat(tokens("--")).isEmpty();
    }

    @Test
    void numbersAreTheirDigits() {
        assertThat(tokens("1 1.5 .5 5.")).containsExactly(NUMBER, NUMBER, NUMBER, NUMBER);
        assertThat(tokens("1.e5")).containsExactly(NUMBER, WORD);
        assertThat(tokens("1..2")).containsExactly(NUMBER, DOT, NUMBER);
        assertThat(tokens("0x1F 1_000")).containsExactly(NUMBER, WORD, NUMBER, WORD);
        assertThat(tokens("t.5")).containsExactly(WORD, NUMBER);
    }

    @Test
    void wordsHoldDollarsDigitsAndBytesAbove127() {
        assertThat(tokens("a$1$ é_ü9 _x")).containsExactly(WORD, WORD, WORD);
        assertThat(tokens("9a")).containsExactly(NUMBER, WORD);
    }

    @Test
    void dollarsBeginParametersStringsOrNothing() {
        assertThat(tokens("$1 $23")).containsExactly(PARAMETER, PARAMETER);
        assertThat(tokens("$1$$'$$")).containsExactly(PARAMETER, STRING);
        assertThat(tokens("$$ ' $a$ $$")).containsExactly(STRING);
        assertThat(tokens("$a$ $$ $b$ $a $a$")).containsExactly(STRING);
        assertThat(tokens("$a$$a$a$")).containsExactly(STRING, WORD);
        assertThat(tokens("$ab$ $a$ab$")).containsExactly(STRING);
        assertThat(tokens("$é1$x$é1$")).containsExactly(STRING);
        assertThat(tokens("$a b$")).containsExactly(OTHER, WORD, WORD);
        assertThat(tokens("$1a$ x")).containsExactly(PARAMETER, WORD, WORD);
        assertThat(tokens("$")).containsExactly(OTHER);
        assertThat(tokens("$$")).containsExactly(BROKEN);
        assertThat(tokens("$a$x$b$")).containsExactly(BROKEN);
    }

    @Test
    void aBackslashIsACharacterInStringsButNotBehindAnE() {
        assertThat(tokens("'\\' 'x'")).containsExactly(STRING, STRING);
        assertThat(tokens("'it''s'")).containsExactly(STRING);
        assertThat(tokens("E'\\' x' e'\\\\' x")).containsExactly(STRING, STRING, WORD);
        assertThat(tokens("E'''\\''")).containsExactly(STRING);
        assertThat(tokens("xE'\\'")).containsExactly(WORD, STRING);
        assertThat(tokens("E '\\'")).containsExactly(WORD, STRING);
        assertThat(tokens("B'1' x'F' N'\\' U&'\\' u&'\\'")).containsExactly(STRING, STRING, STRING, STRING, STRING);
        assertThat(tokens("'")).containsExactly(BROKEN);
        assertThat(tokens("E'\\")).containsExactly(BROKEN);
    }

    @Test
    void aStringGoesOnBehindALineEndWithItsBackslashes() {
        assertThat(tokens("E'a'\n'\\' x'")).containsExactly(STRING);
        assertThat(tokens("E'a' \t--c\n --d\n\n'\\' x'")).containsExactly(STRING);
        assertThat(tokens("E'a' '\\' x")).containsExactly(STRING, STRING, WORD);
        assertThat(tokens("E'a' /**/\n'\\' x")).containsExactly(STRING, STRING, WORD);
        assertThat(tokens("E'a'\nx")).containsExactly(STRING, WORD);
    }

    @Test
    void identifiersInQuotesHoldAnything() {
        assertThat(tokens("\"a b\" \"a\"\"b\" \"'\" \"--\"")).containsExactly(QUOTED, QUOTED, QUOTED, QUOTED);
        assertThat(tokens("U&\"a\" u&\"\\0061\"\"\" u & \"a\""))
                .containsExactly(ESCAPED, ESCAPED, WORD, OPERATOR, QUOTED);
        assertThat(tokens("\"a")).containsExactly(BROKEN);
        assertThat(tokens("U&\"a")).containsExactly(BROKEN);
    }

    @Test
    void wordsAreFoundInAnyCaseAndQuotedNamesInTheirs() {
        assertThat(terms("SELECT select SeLeCt \"select\" \"SELECT\" selec selects"))
                .containsExactly(Term.SELECT, Term.SELECT, Term.SELECT, Term.NONE, Term.NONE, Term.NONE, Term.NONE);
        assertThat(letters("\"select\" \"SELECT\" \"sel\"\"ect\"")).containsExactly(Term.SELECT, Term.NONE, Term.NONE);
        assertThat(calls("lower \"lower\" \"Lower\" lowe lowers \"low\"\"er\""))
                .containsExactly(Call.HARMLESS, Call.HARMLESS, Call.UNKNOWN, Call.UNKNOWN, Call.UNKNOWN, Call.UNKNOWN);
    }

    @Test
    void aWordWithABitTooManyIsNotTheWord() {
        // Letters of 8 bits: é in LATIN1 is e with a bit, and must not be folded to it.
        byte[] text = {'s', (byte) ('e' | 0x80), 'l', 'e', 'c', 't', ' ', 0x13, 'e', 'l', 'e', 'c', 't'};
        scanner.over(text, 0, text.length);
        assertThat(Lexeme.term(scanner.next())).isEqualTo(Term.NONE);
    }

    @Test
    void longWordsAreComparedWhole() {
        assertThat(terms("information_schema xnformation_schema information_schemx"))
                .containsExactly(Term.INFORMATION_SCHEMA, Term.NONE, Term.NONE);
        assertThat(calls("pg_advisory_lock pg_advisory_lock_shared pg_advisory_locks"))
                .containsExactly(Call.SESSION_LOCK, Call.SESSION_LOCK, Call.UNKNOWN);
    }

    @Test
    void namesOfTheSystemBeginWithPg() {
        for (int lexeme : lexemes("pg_class PG_x \"pg_y\" pg_")) {
            assertThat(Lexeme.isSystemName(lexeme))
                    .isEqualTo(lexeme != lexemes("pg_").getFirst());
        }
        for (int lexeme : lexemes("pgx p pg xpg_y \"\"")) {
            assertThat(Lexeme.isSystemName(lexeme)).isFalse();
        }
    }

    @Test
    void anywhereFindsWordsInStringsAndComments() {
        byte[] text = "'a' /* b; */ -- c\n$$d$$ 1".getBytes(StandardCharsets.UTF_8);
        scanner.over(text, 0, text.length);
        List<Token> found = new ArrayList<>();
        for (int lexeme = scanner.nextAnywhere(); lexeme != Lexeme.NOTHING; lexeme = scanner.nextAnywhere()) {
            found.add(Lexeme.token(lexeme));
        }
        assertThat(found).containsExactly(WORD, OTHER, WORD, SEMICOLON, OTHER, WORD, WORD);
    }

    @Test
    void theEndComesAgainAndAgain() {
        scanner.over("x".getBytes(StandardCharsets.UTF_8), 0, 1);
        scanner.next();

        assertThat(scanner.next()).isEqualTo(Lexeme.NOTHING);
        assertThat(scanner.next()).isEqualTo(Lexeme.NOTHING);
    }

    private List<Token> tokens(String sql) {
        return lexemes(sql).stream().map(Lexeme::token).toList();
    }

    private List<Term> terms(String sql) {
        return lexemes(sql).stream().map(Lexeme::term).toList();
    }

    private List<Term> letters(String sql) {
        return lexemes(sql).stream().map(Lexeme::letters).toList();
    }

    private List<Call> calls(String sql) {
        return lexemes(sql).stream().map(Lexeme::call).toList();
    }

    private List<Integer> lexemes(String sql) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        scanner.over(text, 0, text.length);
        List<Integer> lexemes = new ArrayList<>();
        for (int lexeme = scanner.next(); lexeme != Lexeme.NOTHING; lexeme = scanner.next()) {
            lexemes.add(lexeme);
        }
        return lexemes;
    }
}
