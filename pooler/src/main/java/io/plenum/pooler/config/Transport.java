package io.plenum.pooler.config;

/** The socket layer under the event loops: {@code transport}. */
public enum Transport implements Choice {
    /** The best that kernel and container allow. */
    AUTO("auto"),
    IO_URING("io_uring"),
    EPOLL("epoll"),
    NIO("nio");

    private final String word;

    Transport(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
