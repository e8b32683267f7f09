package io.plenum.pooler.listen;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.wire.backend.BackendMessages;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PendingNotificationsTest {
    private final PendingNotifications pending = new PendingNotifications(3, 100);

    @Test
    void notificationIsReadFromItsMessageAndWrittenAsItCame() {
        ByteBuf bytes = Unpooled.buffer().writeByte('?');
        BackendMessages.notificationResponse(bytes, 4711, "grüße", "pay € load");
        int end = bytes.writerIndex();
        bytes.writeByte('?');

        var notification = Notification.copy(bytes, 1, end);
        ByteBuf message = bytes.copy(1, end - 1);
        bytes.setZero(0, bytes.capacity()); // it must not look there any more

        assertThat(notification.processId()).isEqualTo(4711);
        assertThat(notification.channel()).isEqualTo("grüße");
        assertThat(notification.payload()).isEqualTo("pay € load");
        assertThat(notification.size()).isEqualTo(message.readableBytes());
        ByteBuf out = Unpooled.buffer();
        notification.writeTo(out);
        assertThat(out).isEqualTo(message);
    }

    @Test
    void notificationIsWrittenWithAnotherProcess() {
        ByteBuf expected = Unpooled.buffer();
        BackendMessages.notificationResponse(expected, 99, "c", "p");
        ByteBuf out = Unpooled.buffer().writeByte('?');

        notification("c", "p").writeTo(out, 99);

        assertThat(out.slice(1, out.readableBytes() - 1)).isEqualTo(expected);
    }

    @Test
    void oldestComesFirstAndAllOnce() {
        pending.offer(notification("a", "1"));
        pending.offer(notification("b", "2"));
        pending.offer(notification("a", "3"));

        assertThat(drained()).containsExactly("a1", "b2", "a3");
        assertThat(pending.isEmpty()).isTrue();
        assertThat(pending.bytes()).isZero();
        assertThat(drained()).isEmpty();
    }

    @Test
    void moreThanTheNumberIsRefusedUntilThereIsRoom() {
        assertThat(pending.offer(notification("a", ""))).isTrue();
        assertThat(pending.offer(notification("a", ""))).isTrue();
        assertThat(pending.offer(notification("a", ""))).isTrue();
        assertThat(pending.offer(notification("a", "late"))).isFalse();
        assertThat(pending.size()).isEqualTo(3);

        drained();

        assertThat(pending.offer(notification("a", "now"))).isTrue();
    }

    @Test
    void moreThanTheBytesIsRefusedToTheByte() {
        int frame = notification("a", "").size();
        assertThat(pending.offer(notification("a", "x".repeat(100 - 2 * frame))))
                .isTrue();
        assertThat(pending.offer(notification("a", "x"))).isFalse();
        assertThat(pending.offer(notification("a", ""))).isTrue();
        assertThat(pending.bytes()).isEqualTo(100);
    }

    @Test
    void otherChannelsAreForgottenWithTheirBytes() {
        pending.offer(notification("a", "1"));
        pending.offer(notification("b", "2"));
        pending.offer(notification("a", "3"));

        pending.retain("b"::equals);

        assertThat(pending.bytes()).isEqualTo(notification("b", "2").size());
        assertThat(drained()).containsExactly("b2");
        pending.offer(notification("a", "4"));
        pending.retain(channel -> false);
        assertThat(pending.isEmpty()).isTrue();
        assertThat(pending.bytes()).isZero();
    }

    private List<String> drained() {
        List<String> all = new ArrayList<>();
        pending.drainTo(notification -> all.add(notification.channel() + notification.payload()));
        return all;
    }

    private static Notification notification(String channel, String payload) {
        ByteBuf bytes = Unpooled.buffer();
        BackendMessages.notificationResponse(bytes, 1, channel, payload);
        return Notification.copy(bytes, 0, bytes.writerIndex());
    }
}
