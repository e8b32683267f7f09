package io.plenum.wire.error;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The SQLSTATEs that a pooler says itself or acts upon when a server says them.
 *
 * <p>Names and codes are those of the manual's appendix "PostgreSQL Error Codes".
 */
public enum SqlState {
    SUCCESSFUL_COMPLETION("00000"),
    WARNING("01000"),
    CONNECTION_EXCEPTION("08000"),
    SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION("08001"),
    CONNECTION_DOES_NOT_EXIST("08003"),
    SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION("08004"),
    CONNECTION_FAILURE("08006"),
    TRANSACTION_RESOLUTION_UNKNOWN("08007"),
    PROTOCOL_VIOLATION("08P01"),
    FEATURE_NOT_SUPPORTED("0A000"),
    DIVISION_BY_ZERO("22012"),
    CHARACTER_NOT_IN_REPERTOIRE("22021"),
    INVALID_PARAMETER_VALUE("22023"),
    UNTRANSLATABLE_CHARACTER("22P05"),
    ACTIVE_SQL_TRANSACTION("25001"),
    READ_ONLY_SQL_TRANSACTION("25006"),
    NO_ACTIVE_SQL_TRANSACTION("25P01"),
    IN_FAILED_SQL_TRANSACTION("25P02"),
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT("25P03"),
    TRANSACTION_TIMEOUT("25P04"),
    INVALID_SQL_STATEMENT_NAME("26000"),
    INVALID_AUTHORIZATION_SPECIFICATION("28000"),
    INVALID_PASSWORD("28P01"),
    INVALID_CURSOR_NAME("34000"),
    INVALID_CATALOG_NAME("3D000"),
    T_R_SERIALIZATION_FAILURE("40001"),
    T_R_DEADLOCK_DETECTED("40P01"),
    INSUFFICIENT_PRIVILEGE("42501"),
    SYNTAX_ERROR("42601"),
    INVALID_NAME("42602"),
    UNDEFINED_OBJECT("42704"),
    DUPLICATE_CURSOR("42P03"),
    DUPLICATE_PREPARED_STATEMENT("42P05"),
    OUT_OF_MEMORY("53200"),
    TOO_MANY_CONNECTIONS("53300"),
    CONFIGURATION_LIMIT_EXCEEDED("53400"),
    PROGRAM_LIMIT_EXCEEDED("54000"),
    OBJECT_NOT_IN_PREREQUISITE_STATE("55000"),
    OBJECT_IN_USE("55006"),
    CANT_CHANGE_RUNTIME_PARAM("55P02"),
    LOCK_NOT_AVAILABLE("55P03"),
    QUERY_CANCELED("57014"),
    ADMIN_SHUTDOWN("57P01"),
    CRASH_SHUTDOWN("57P02"),
    CANNOT_CONNECT_NOW("57P03"),
    DATABASE_DROPPED("57P04"),
    IDLE_SESSION_TIMEOUT("57P05"),
    SYSTEM_ERROR("58000"),
    CONFIG_FILE_ERROR("F0000"),
    INTERNAL_ERROR("XX000");

    private static final Map<String, SqlState> BY_CODE =
            Stream.of(values()).collect(Collectors.toUnmodifiableMap(SqlState::code, Function.identity()));

    private final String code;

    SqlState(String code) {
        this.code = code;
    }

    /** The five characters of the ErrorResponse's field C. */
    public String code() {
        return code;
    }

    /** The constant of a code, or null for one that this catalogue does not hold. */
    public static @Nullable SqlState of(String code) {
        return BY_CODE.get(code);
    }
}
