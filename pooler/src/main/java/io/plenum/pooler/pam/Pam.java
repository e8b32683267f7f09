package io.plenum.pooler.pam;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks PAM whether a user's password is right and the account may be used, as PgBouncer does: service {@value #SERVICE}, the
 * password as the answer to every prompt without echo, the client's address as PAM_RHOST.
 *
 * <p>Layouts are those of Linux-PAM's security/pam_appl.h on 64-bit machines. Any thread that may wait.
 */
@SuppressWarnings("restricted") // --enable-native-access is given to the process
public final class Pam {
    private static final Logger LOG = LoggerFactory.getLogger(Pam.class);

    static final String SERVICE = "pgbouncer";

    private static final int SUCCESS = 0;
    private static final int CONVERSATION_ERROR = 19;
    private static final int SILENT = 0x8000;
    private static final int RHOST = 4;
    private static final int PROMPT_ECHO_OFF = 1;
    private static final int ERROR_MESSAGE = 3;

    /** PAM_MAX_NUM_MSG. */
    private static final int MOST_MESSAGES = 32;

    /** sizeof(struct pam_response): a pointer, an int, and what fills it up. */
    private static final long RESPONSE_BYTES = 16;

    private static final long LONGEST_MESSAGE = 4096;

    private static final AddressLayout STRING =
            ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(LONGEST_MESSAGE, JAVA_BYTE));

    private Pam() {}

    /** Null where PAM can be used; else why not. */
    public static @Nullable String unavailability() {
        return Library.FAULT;
    }

    /** Whether libpam can read another directory than /etc/pam.d. */
    public static boolean hasConfigurationDirectory() {
        return Library.START_IN != null;
    }

    /**
     * Whether PAM lets the user in with the password.
     *
     * @param password without a NUL
     * @param directory in the place of /etc/pam.d; empty is that one
     * @throws IllegalStateException when PAM cannot be used here
     */
    public static boolean check(String user, byte[] password, String remoteHost, String directory) {
        if (Library.FAULT != null) {
            throw new IllegalStateException(Library.FAULT);
        }
        try (Arena arena = Arena.ofConfined()) {
            return new Conversation(password).hold(arena, user, remoteHost, directory);
        }
    }

    /** The functions of libpam, and those of the C library that make what PAM frees. */
    private static final class Library {
        private static final Linker LINKER = Linker.nativeLinker();
        private static final @Nullable SymbolLookup PAM = load();

        static final @Nullable MethodHandle START =
                function("pam_start", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        static final @Nullable MethodHandle START_IN = function(
                "pam_start_confdir", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        static final @Nullable MethodHandle SET_ITEM =
                function("pam_set_item", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
        static final @Nullable MethodHandle AUTHENTICATE =
                function("pam_authenticate", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        static final @Nullable MethodHandle ACCOUNT =
                function("pam_acct_mgmt", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        static final @Nullable MethodHandle END =
                function("pam_end", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        static final @Nullable MethodHandle ERROR =
                function("pam_strerror", FunctionDescriptor.of(STRING, ADDRESS, JAVA_INT));
        static final @Nullable MethodHandle CALLOC = LINKER.defaultLookup()
                .find("calloc")
                .map(symbol -> LINKER.downcallHandle(symbol, FunctionDescriptor.of(ADDRESS, JAVA_LONG, JAVA_LONG)))
                .orElse(null);

        static final @Nullable String FAULT = PAM == null
                ? "libpam.so.0 is not installed on this machine"
                : START == null
                                || SET_ITEM == null
                                || AUTHENTICATE == null
                                || ACCOUNT == null
                                || END == null
                                || ERROR == null
                                || CALLOC == null
                                || ADDRESS.byteSize() != 8
                        ? "libpam.so.0 lacks a function that is needed"
                        : null;

        private Library() {}

        private static @Nullable SymbolLookup load() {
            try {
                return SymbolLookup.libraryLookup("libpam.so.0", Arena.global());
            } catch (IllegalArgumentException | UnsatisfiedLinkError missing) {
                return null;
            }
        }

        private static @Nullable MethodHandle function(String name, FunctionDescriptor shape) {
            return PAM == null
                    ? null
                    : PAM.find(name)
                            .map(symbol -> LINKER.downcallHandle(symbol, shape))
                            .orElse(null);
        }

        static MemorySegment upcall(MethodHandle target, Arena arena) {
            return LINKER.upcallStub(
                    target, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS), arena);
        }
    }

    /** One question to PAM, and our answers to its. */
    private static final class Conversation {
        private final byte[] password;

        Conversation(byte[] password) {
            this.password = password;
        }

        boolean hold(Arena arena, String user, String remoteHost, String directory) {
            try {
                MethodHandle answer = MethodHandles.lookup()
                        .bind(
                                this,
                                "answer",
                                MethodType.methodType(
                                        int.class,
                                        int.class,
                                        MemorySegment.class,
                                        MemorySegment.class,
                                        MemorySegment.class));
                MemorySegment conversation = arena.allocate(2 * ADDRESS.byteSize());
                conversation.setAtIndex(ADDRESS, 0, Library.upcall(answer, arena));
                conversation.setAtIndex(ADDRESS, 1, MemorySegment.NULL);
                MemorySegment handlePlace = arena.allocate(ADDRESS);
                int code = start(arena, user, directory, conversation, handlePlace);
                if (code != SUCCESS) {
                    LOG.warn("pam_start() failed: {}", code);
                    return false;
                }
                MemorySegment handle = handlePlace.get(ADDRESS, 0);
                code = steps(arena, handle, remoteHost);
                call(Library.END, handle, code);
                return code == SUCCESS;
            } catch (NoSuchMethodException | IllegalAccessException e) {
                throw new IllegalStateException("the conversation is a method of this class", e);
            }
        }

        private static int start(
                Arena arena, String user, String directory, MemorySegment conversation, MemorySegment handlePlace) {
            MemorySegment service = arena.allocateFrom(SERVICE);
            MemorySegment name = arena.allocateFrom(user);
            return directory.isEmpty()
                    ? call(Library.START, service, name, conversation, handlePlace)
                    : call(Library.START_IN, service, name, conversation, arena.allocateFrom(directory), handlePlace);
        }

        /** The first step that fails decides, and is told. */
        private static int steps(Arena arena, MemorySegment handle, String remoteHost) {
            int code = call(Library.SET_ITEM, handle, RHOST, arena.allocateFrom(remoteHost));
            if (code != SUCCESS) {
                LOG.warn("pam_set_item(): can't set PAM_RHOST to '{}'", remoteHost);
                return code;
            }
            code = call(Library.AUTHENTICATE, handle, SILENT);
            if (code != SUCCESS) {
                LOG.warn("pam_authenticate() failed: {}", text(handle, code));
                return code;
            }
            code = call(Library.ACCOUNT, handle, SILENT);
            if (code != SUCCESS) {
                LOG.warn("pam_acct_mgmt() failed: {}", text(handle, code));
            }
            return code;
        }

        private static String text(MemorySegment handle, int code) {
            try {
                MethodHandle error = Library.ERROR;
                return error == null ? "" : ((MemorySegment) error.invokeWithArguments(handle, code)).getString(0);
            } catch (Throwable impossible) {
                return "code " + code;
            }
        }

        /** Called by PAM: {@code int conv(int count, const struct pam_message **, struct pam_response **, void *)}. */
        @SuppressWarnings("unused") // by name
        private int answer(int count, MemorySegment messages, MemorySegment responsePlace, MemorySegment data) {
            try {
                if (count < 1 || count > MOST_MESSAGES) {
                    return CONVERSATION_ERROR;
                }
                MemorySegment asked = messages.reinterpret(count * ADDRESS.byteSize());
                MemorySegment responses = allocate(count, RESPONSE_BYTES);
                for (int i = 0; i < count; i++) {
                    MemorySegment message = asked.getAtIndex(ADDRESS, i).reinterpret(2 * ADDRESS.byteSize());
                    int style = message.get(JAVA_INT, 0);
                    if (style == PROMPT_ECHO_OFF) {
                        MemorySegment secret = allocate(password.length + 1L, 1);
                        MemorySegment.copy(password, 0, secret, JAVA_BYTE, 0, password.length);
                        responses.set(ADDRESS, i * RESPONSE_BYTES, secret);
                    } else if (style == ERROR_MESSAGE) {
                        MemorySegment text =
                                message.get(ADDRESS, ADDRESS.byteSize()).reinterpret(LONGEST_MESSAGE);
                        LOG.warn("pam_conversation(): PAM error: {}", text.getString(0, StandardCharsets.UTF_8));
                    }
                }
                responsePlace.reinterpret(ADDRESS.byteSize()).set(ADDRESS, 0, responses);
                return SUCCESS;
            } catch (Throwable failure) { // what leaves an upcall ends the process
                LOG.error("event=pam_conversation_failed", failure);
                return CONVERSATION_ERROR;
            }
        }

        /** Zeroed memory that PAM frees. */
        private static MemorySegment allocate(long count, long size) throws Throwable {
            MethodHandle calloc = Library.CALLOC;
            if (calloc == null) {
                throw new IllegalStateException("no calloc");
            }
            MemorySegment made = (MemorySegment) calloc.invokeWithArguments(count, size);
            if (made.address() == 0) {
                throw new IllegalStateException("no memory for the conversation");
            }
            return made.reinterpret(count * size);
        }

        private static int call(@Nullable MethodHandle function, Object... arguments) {
            if (function == null) {
                throw new IllegalStateException("a function that libpam lacks");
            }
            try {
                return (int) function.invokeWithArguments(arguments);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
