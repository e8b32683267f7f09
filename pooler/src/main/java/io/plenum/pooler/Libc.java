package io.plenum.pooler;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/**
 * The few functions of the C library that the JDK has no way to: descriptors, one signal, datagrams to Unix sockets. With
 * the layouts and numbers of Linux, so to be asked only there. Any thread.
 */
@SuppressWarnings("restricted") // what the signatures below say is what Linux has
final class Libc {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    private static final int MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
    private static final int LONGEST_SOCKET_PATH = 108;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int O_NONBLOCK = 0x800;

    private static final Linker LINKER = Linker.nativeLinker();

    private static final MethodHandle PIPE = function("pipe", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    private static final MethodHandle DUP2 = function("dup2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle CLOSE = function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ =
            function("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle SIGNAL = function("signal", FunctionDescriptor.of(ADDRESS, JAVA_INT, ADDRESS));
    private static final MethodHandle SOCKET =
            function("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle GETSOCKNAME =
            function("getsockname", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    private static final MethodHandle FCNTL = function(
            "fcntl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle SENDTO = function(
            "sendto", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));

    /** What kind of address a descriptor has. */
    enum Family {
        INTERNET,
        UNIX,
        /** None, or one that is not understood. */
        OTHER
    }

    /** Where a socket listens; {@code path} is that of a Unix socket, {@code @} in front for the abstract namespace. */
    record SocketName(Family family, String path) {}

    private Libc() {}

    static boolean isLinux() {
        return System.getProperty("os.name").equals("Linux");
    }

    /** Makes {@code descriptor} the writing end of a new pipe, and answers its reading end; -1 if that cannot be. */
    static int pipeInto(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(JAVA_INT, 2);
            if ((int) PIPE.invokeExact(ends) != 0) {
                return -1;
            }
            int reading = ends.getAtIndex(JAVA_INT, 0);
            int writing = ends.getAtIndex(JAVA_INT, 1);
            int moved = (int) DUP2.invokeExact(writing, descriptor);
            int _ = (int) CLOSE.invokeExact(writing);
            return moved == descriptor ? reading : -1;
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    /** Blocks until all writing ends of the pipe are closed. */
    static void awaitEnd(int reading) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(1);
            long got;
            do {
                got = (long) READ.invokeExact(reading, one, 1L);
            } while (got > 0);
            int _ = (int) CLOSE.invokeExact(reading);
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    /** Has the kernel call a function of the C library, with the number of the signal as its argument. */
    static void onSignal(int signal, String function) {
        MemorySegment address = LINKER.defaultLookup().find(function).orElseThrow();
        try {
            MemorySegment _ = (MemorySegment) SIGNAL.invokeExact(signal, address);
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    /** A socket for {@link #sendTo}; negative if there is none to be had. */
    static int datagramSocket() {
        try {
            return (int) SOCKET.invokeExact(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    /**
     * Sends one datagram to the Unix socket of that path, {@code @} in front for the abstract namespace; does not wait for a
     * receiver that is slow.
     *
     * @return whether it was taken
     */
    static boolean sendTo(int socket, String path, byte[] data) {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length == 0 || name.length >= LONGEST_SOCKET_PATH) {
            return false;
        }
        boolean isAbstract = name[0] == '@';
        if (isAbstract) {
            name[0] = 0;
        }
        int length = Short.BYTES + name.length + (isAbstract ? 0 : 1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Short.BYTES + LONGEST_SOCKET_PATH, Short.BYTES);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, Short.BYTES, name.length);
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, data);
            long sent = (long)
                    SENDTO.invokeExact(socket, bytes, (long) data.length, MSG_DONTWAIT_NOSIGNAL, address, length);
            return sent == data.length;
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    static SocketName socketName(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Short.BYTES + LONGEST_SOCKET_PATH, Short.BYTES);
            MemorySegment length = arena.allocateFrom(JAVA_INT, (int) address.byteSize());
            int failed = (int) GETSOCKNAME.invokeExact(descriptor, address, length);
            return failed != 0
                    ? new SocketName(Family.OTHER, "")
                    : switch (address.get(JAVA_SHORT, 0)) {
                        case AF_UNIX -> new SocketName(Family.UNIX, path(address, length.get(JAVA_INT, 0)));
                        case AF_INET, AF_INET6 -> new SocketName(Family.INTERNET, "");
                        default -> new SocketName(Family.OTHER, "");
                    };
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    /** An abstract name begins with a NUL and goes to the end of the address; another one ends with a NUL. */
    private static String path(MemorySegment address, int length) {
        byte[] name =
                address.asSlice(Short.BYTES, Math.max(0, length - Short.BYTES)).toArray(ValueLayout.JAVA_BYTE);
        if (name.length > 0 && name[0] == 0) {
            name[0] = '@';
            return new String(name, StandardCharsets.UTF_8);
        }
        String path = new String(name, StandardCharsets.UTF_8);
        int end = path.indexOf('\0');
        return end < 0 ? path : path.substring(0, end);
    }

    /** Says whether the descriptor can be asked for what it does not have yet from now on. */
    static boolean setNonBlocking(int descriptor) {
        try {
            int flags = (int) FCNTL.invokeExact(descriptor, F_GETFL, 0);
            return flags >= 0 && (int) FCNTL.invokeExact(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    static void close(int descriptor) {
        try {
            int _ = (int) CLOSE.invokeExact(descriptor);
        } catch (Throwable failure) {
            throw failed(failure);
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor signature, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), signature, options);
    }

    /** A call by a fitting handle throws nothing. */
    private static IllegalStateException failed(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(failure);
    }
}
