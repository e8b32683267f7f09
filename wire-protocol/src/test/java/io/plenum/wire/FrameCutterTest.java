package io.plenum.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.wire.FrameCutter.Side;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.recording.Recording;
import io.plenum.wire.recording.Recording.Message;
import io.plenum.wire.recording.Recording.Sender;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameCutterTest {
    private static List<Recording> recordings() {
        return Recording.all();
    }

    @ParameterizedTest
    @MethodSource("recordings")
    void recordedStreamsAreCutIntoTheirMessagesInEverySplit(Recording recording) {
        for (Sender sender : Sender.values()) {
            byte[] stream = typedStream(recording, sender);
            List<String> expected = recording.typed(sender).stream()
                    .map(message -> ByteBufUtil.hexDump(message.bytes()))
                    .toList();
            for (int split = 0; split <= stream.length; split++) {
                assertThat(cut(side(sender), stream, split)).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("recordings")
    void recordedStreamsAreCutIntoTheirMessagesByteByByte(Recording recording) {
        for (Sender sender : Sender.values()) {
            byte[] stream = typedStream(recording, sender);
            int[] everywhere = new int[stream.length];
            Arrays.setAll(everywhere, i -> i);

            assertThat(cut(side(sender), stream, everywhere))
                    .isEqualTo(recording.typed(sender).stream()
                            .map(message -> ByteBufUtil.hexDump(message.bytes()))
                            .toList());
        }
    }

    @Test
    void largeMessageComesInPiecesThatAddUpInEverySplit() {
        byte[] stream = copyDataBetweenSyncs(200);
        for (int first = 0; first <= stream.length; first++) {
            for (int second = first; second <= stream.length; second += 13) {
                assertThat(cut(Side.FRONTEND, stream, first, second))
                        .containsExactly("5300000004", ByteBufUtil.hexDump(stream, 5, 205), "5300000004");
            }
        }
    }

    @Test
    void statementIsHandedOverWholeUpToTheBoundAndInPiecesBeyond() {
        FrameCutter cutter = new FrameCutter(Side.FRONTEND);
        ByteBuf bytes = Unpooled.buffer();
        bytes.writeByte('Q').writeInt(4 + 100_000).writeZero(Limits.LOOKED_AT - 6);
        cutter.show(bytes);
        assertThat(cutter.next()).isEqualTo(Step.NONE);

        bytes.writeZero(1);
        cutter.show(bytes);
        assertThat(cutter.next()).isEqualTo(Step.HEAD);
        assertThat(cutter.end() - cutter.start()).isEqualTo(Limits.LOOKED_AT);
        assertThat(cutter.remaining()).isEqualTo(1 + 4 + 100_000 - Limits.LOOKED_AT);
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 2, 3})
    void lengthThatDoesNotCountItselfIsRefused(int length) {
        for (Side side : Side.values()) {
            ByteBuf bytes = Unpooled.buffer().writeByte('S').writeInt(length);
            FrameCutter cutter = new FrameCutter(side);
            cutter.show(bytes);

            assertThatExceptionOfType(ProtocolException.class).isThrownBy(cutter::next);
        }
    }

    @Test
    void lengthsAreBoundedPerMessageAsInPostgres() {
        // The first length word at which a PostgreSQL 18 closed the connection, found by trying.
        for (char type : "QPBFd".toCharArray()) {
            assertRefusedFrom(type, 1_073_741_823);
        }
        for (char type : "DECSHcfX".toCharArray()) {
            assertRefusedFrom(type, 10_001);
        }
    }

    private static void assertRefusedFrom(char type, int length) {
        FrameCutter cutter = new FrameCutter(Side.FRONTEND);
        cutter.show(Unpooled.buffer().writeByte(type).writeInt(length - 1));
        assertThat(cutter.next()).isIn(Step.NONE, Step.HEAD);

        FrameCutter refusing = new FrameCutter(Side.FRONTEND);
        refusing.show(Unpooled.buffer().writeByte(type).writeInt(length));
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(refusing::next)
                .satisfies(e -> assertThat(e.sqlState().code()).isEqualTo("08P01"));
    }

    @Test
    void unknownTypesAreRefused() {
        for (int type = 0; type < 256; type++) {
            for (Side side : Side.values()) {
                boolean known = side == Side.FRONTEND
                        ? FrontendType.of((byte) type) != null
                        : BackendType.of((byte) type) != null;
                FrameCutter cutter = new FrameCutter(side);
                cutter.show(Unpooled.buffer().writeByte(type).writeInt(4));
                if (known) {
                    assertThat(cutter.next()).isEqualTo(Step.WHOLE);
                } else {
                    assertThatExceptionOfType(ProtocolException.class).isThrownBy(cutter::next);
                }
            }
        }
    }

    @Test
    void anyBytesGiveMessagesOrOneProtocolException() {
        Random random = new Random(4711);
        byte[] recorded = typedStream(Recording.ofServer(18).getFirst(), Sender.BACKEND);
        for (int round = 0; round < 20_000; round++) {
            byte[] stream = Arrays.copyOf(recorded, 1 + random.nextInt(200));
            for (int damage = random.nextInt(4); damage >= 0; damage--) {
                stream[random.nextInt(stream.length)] = (byte) random.nextInt();
            }
            for (Side side : Side.values()) {
                FrameCutter cutter = new FrameCutter(side);
                cutter.show(Unpooled.wrappedBuffer(stream));
                int position = 0;
                try {
                    for (Step step = cutter.next(); step != Step.NONE; step = cutter.next()) {
                        assertThat(cutter.start()).isEqualTo(position);
                        assertThat(cutter.end()).isBetween(cutter.start() + 5, stream.length);
                        assertThat(cutter.remaining()).isNotNegative();
                        position = cutter.position();
                    }
                } catch (ProtocolException e) {
                    assertThat(e.sqlState().code()).isEqualTo("08P01");
                }
            }
        }
    }

    /**
     * The messages that a cutter finds in a stream that arrives in parts ending at these places, each in hexadecimal.
     * What it has been through is overwritten before the next part comes.
     */
    private static List<String> cut(Side side, byte[] stream, int... ends) {
        FrameCutter cutter = new FrameCutter(side);
        List<String> messages = new ArrayList<>();
        StringBuilder pieces = new StringBuilder();
        byte[] kept = new byte[0];
        int from = 0;
        for (int i = 0; i <= ends.length; i++) {
            int to = i == ends.length ? stream.length : ends[i];
            byte[] shown = Arrays.copyOf(kept, kept.length + to - from);
            System.arraycopy(stream, from, shown, kept.length, to - from);
            from = to;
            ByteBuf bytes = Unpooled.wrappedBuffer(shown);
            cutter.show(bytes);
            for (Step step = cutter.next(); step != Step.NONE; step = cutter.next()) {
                pieces.append(ByteBufUtil.hexDump(bytes, cutter.start(), cutter.end() - cutter.start()));
                if (cutter.remaining() == 0) {
                    messages.add(pieces.toString());
                    pieces.setLength(0);
                }
            }
            kept = Arrays.copyOfRange(shown, cutter.position(), shown.length);
            Arrays.fill(shown, (byte) 0x7e);
        }
        assertThat(kept).isEmpty();
        assertThat(pieces).isEmpty();
        return messages;
    }

    private static byte[] copyDataBetweenSyncs(int size) {
        ByteBuf stream = Unpooled.buffer();
        stream.writeByte('S').writeInt(4);
        stream.writeByte('d').writeInt(size + 4);
        for (int i = 0; i < size; i++) {
            stream.writeByte(i);
        }
        stream.writeByte('S').writeInt(4);
        return ByteBufUtil.getBytes(stream);
    }

    private static byte[] typedStream(Recording recording, Sender sender) {
        ByteBuf stream = Unpooled.buffer();
        for (Message message : recording.typed(sender)) {
            stream.writeBytes(message.bytes());
        }
        return ByteBufUtil.getBytes(stream);
    }

    private static Side side(Sender sender) {
        return sender == Sender.FRONTEND ? Side.FRONTEND : Side.BACKEND;
    }
}
