package io.plenum.routing.sql;

import io.plenum.wire.AsciiCase;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.StringTokenizer;

/**
 * The words that are known, by their bytes. A hash table of fixed size, filled once, read by any thread.
 *
 * <p>The lists of functions name those of PostgreSQL 15 to 18 of which every overload is immutable or stable in
 * {@code pg_proc}, besides the random and the sleeping ones, without those that run SQL given as text and without the
 * supports of types and operators. A user's function of the same name is not seen apart from them.
 */
final class Vocabulary {
    private static final int SIZE = 4096;
    private static final long[] KEYS = new long[SIZE];
    private static final byte[][] LETTERS = new byte[SIZE][];
    private static final int[] LEXEMES = new int[SIZE];

    /** Categories R and C of {@code pg_get_keywords()}: unquoted, they can be no function's name. */
    private static final String RESERVED = """
        all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
        current_catalog current_date current_role current_time current_timestamp current_user default deferrable
        desc distinct do else end except false fetch for foreign from grant group having in initially intersect
        into lateral leading limit localtime localtimestamp not null offset on only or order placing primary
        references returning select session_user some symmetric system_user table then to trailing true union
        unique user using variadic when where window with
        between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout
        int integer interval json json_array json_arrayagg json_exists json_object json_objectagg json_query
        json_scalar json_serialize json_table json_value least merge_action national nchar none normalize nullif
        numeric out overlay position precision real row setof smallint substring time timestamp treat trim values
        varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
        xmlserialize xmltable
        """;

    private static final String AGGREGATES = """
        any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist
        dense_rank every first_value json_agg json_agg_strict json_object_agg json_object_agg_strict
        json_object_agg_unique json_object_agg_unique_strict jsonb_agg jsonb_agg_strict jsonb_object_agg
        jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict lag last_value lead max min
        mode nth_value ntile percent_rank percentile_cont percentile_disc range_agg range_intersect_agg rank
        regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number
        stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg
        """;

    private static final String NUMBERS = """
        abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot
        cotd degrees div erf erfc exp factorial float4 float8 floor gamma gcd int2 int4 int8 lcm lgamma ln log
        log10 min_scale mod money pi power pow radians random random_normal round scale sign sin sind sinh sqrt tan
        tand tanh trim_scale trunc width_bucket
        """;

    private static final String TEXTS = """
        ascii bit_count bit_length bpchar btrim bytea casefold char_length character_length chr concat concat_ws
        convert convert_from convert_to crc32 crc32c decode encode format get_bit get_byte hashtext
        hashtextextended initcap is_normalized left length like lower lpad ltrim md5 name notlike octet_length
        parse_ident quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match
        regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace
        reverse right rpad rtrim set_bit set_byte sha224 sha256 sha384 sha512 split_part starts_with
        string_to_array string_to_table strpos substr text to_ascii to_bin to_char to_date to_hex to_number to_oct
        to_timestamp translate unicode_assigned unistr upper varbit
        """;

    private static final String TIMES = """
        age clock_timestamp date date_add date_bin date_part date_subtract date_trunc isfinite justify_days
        justify_hours justify_interval make_date make_interval make_time make_timestamp make_timestamptz now
        overlaps pg_sleep pg_sleep_for pg_sleep_until statement_timestamp timeofday timestamptz timetz timezone
        transaction_timestamp
        """;

    private static final String COLLECTIONS = """
        array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
        array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle
        array_sort array_to_json array_to_string array_upper cardinality enum_first enum_last enum_range
        generate_series generate_subscripts num_nonnulls num_nulls trim_array unnest
        datemultirange daterange int4multirange int4range int8multirange int8range isempty lower_inc lower_inf
        multirange nummultirange numrange range_merge tsmultirange tsrange tstzmultirange tstzrange upper_inc
        upper_inf
        """;

    private static final String DOCUMENTS = """
        json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
        json_each_text json_extract_path json_extract_path_text json_object_keys json_populate_record
        json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb
        jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
        jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
        jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz
        jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
        jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid
        jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
        jsonb_to_recordset jsonb_typeof row_to_json to_json to_jsonb
        xml xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmltext xpath
        xpath_exists
        array_to_tsvector get_current_ts_config json_to_tsvector jsonb_to_tsvector numnode phraseto_tsquery
        plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_debug ts_delete ts_filter ts_headline
        ts_lexize ts_parse ts_rank ts_rank_cd ts_token_type tsquery_phrase tsvector_to_array websearch_to_tsquery
        """;

    private static final String PLACES = """
        abbrev area box broadcast center cidr circle diagonal diameter family height host hostmask inet_merge
        inet_same_family isclosed ishorizontal isopen isparallel isperp isvertical line lseg macaddr
        macaddr8 macaddr8_set7bit masklen netmask network npoints path pclose point polygon popen radius
        set_masklen slope text width
        """;

    private static final String SYSTEM = """
        current_database current_schema current_schemas gen_random_uuid getdatabaseencoding icu_unicode_version
        pg_basetype pg_char_to_encoding pg_client_encoding pg_collation_for pg_column_size pg_encoding_to_char
        pg_get_keywords pg_input_error_info pg_input_is_valid pg_lsn pg_size_bytes pg_size_pretty pg_typeof
        pg_wal_lsn_diff unicode_version uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 version
        oid regclass
        """;

    private static final String CATALOG_FUNCTIONS = """
        acldefault aclexplode col_description format_type has_any_column_privilege has_column_privilege
        has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege
        has_largeobject_privilege has_parameter_privilege has_schema_privilege has_sequence_privilege
        has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege makeaclitem
        obj_description oidvectortypes pg_collation_is_visible pg_column_is_updatable pg_conversion_is_visible
        pg_describe_object pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arg_default
        pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result
        pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_partition_constraintdef pg_get_partkeydef
        pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef pg_get_triggerdef pg_get_userbyid
        pg_get_viewdef pg_has_role pg_identify_object pg_index_column_has_property pg_index_has_property
        pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table
        pg_partition_ancestors pg_partition_root pg_partition_tree pg_relation_is_updatable
        pg_statistics_obj_is_visible pg_table_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible
        pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible row_security_active shobj_description
        to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole
        to_regtype to_regtypemod
        """;

    /** Names that begin with pg_ and are in no list count as node-local too, but as unknown code besides. */
    private static final String NODE_FUNCTIONS = """
        inet_client_addr inet_client_port inet_server_addr inet_server_port mxid_age txid_current
        txid_current_if_assigned txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin
        txid_status txid_visible_in_snapshot
        pg_backend_pid pg_blocking_pids pg_conf_load_time pg_current_snapshot
        pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_current_xact_id
        pg_current_xact_id_if_assigned pg_database_size pg_export_snapshot pg_indexes_size pg_is_in_recovery
        pg_is_wal_replay_paused pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
        pg_last_xact_replay_timestamp pg_my_temp_schema pg_notification_queue_usage
        pg_postmaster_start_time pg_relation_filenode pg_relation_filepath pg_relation_size
        pg_safe_snapshot_blocking_pids pg_snapshot_xmax pg_snapshot_xmin pg_table_size pg_tablespace_size
        pg_total_relation_size pg_visible_in_snapshot pg_walfile_name pg_xact_commit_timestamp
        pg_xact_status
        """;

    static {
        Map<String, Term> terms = new HashMap<>();
        for (Term term : Term.values()) {
            terms.put(AsciiCase.lower(term.name()), term);
        }
        // Names of groups, not words.
        for (Term group : new Term[] {
            Term.NONE,
            Term.RUNNING,
            Term.MAINTAINING,
            Term.WRITING,
            Term.UTILITY,
            Term.REPORTED_SETTING,
            Term.FIXED_SETTING,
            Term.SAMPLING,
            Term.FRAME
        }) {
            terms.remove(AsciiCase.lower(group.name()));
        }
        name(terms, Term.ANALYZE, "analyse");
        name(terms, Term.TEMPORARY, "temp");
        name(terms, Term.COMMITTED, "uncommitted");
        name(terms, Term.ROLE, "session_authorization");
        name(terms, Term.ROLLUP, "cube");
        name(terms, Term.FIRST, "next");
        name(terms, Term.CHARACTER, "char nchar bit");
        name(terms, Term.SAMPLING, "system bernoulli");
        name(terms, Term.FRAME, "rows range groups");
        name(terms, Term.LIKE, "ilike");
        name(terms, Term.MAINTAINING, "cluster refresh reindex vacuum");
        name(terms, Term.WRITING, "comment drop grant reassign revoke security truncate");
        name(terms, Term.RUNNING, "do call import");
        name(terms, Term.UTILITY, "close move release savepoint");
        name(terms, Term.REPORTED_SETTING, """
            application_name client_encoding datestyle default_transaction_read_only intervalstyle
            standard_conforming_strings timezone
            """);
        name(terms, Term.FIXED_SETTING, "server_version server_version_num server_encoding integer_datetimes");

        Map<String, Call> calls = new HashMap<>();
        for (String functions :
                new String[] {AGGREGATES, NUMBERS, TEXTS, TIMES, COLLECTIONS, DOCUMENTS, PLACES, SYSTEM}) {
            name(calls, Call.HARMLESS, functions);
        }
        name(calls, Call.CATALOG, CATALOG_FUNCTIONS);
        name(calls, Call.NODE_LOCAL, NODE_FUNCTIONS);
        name(calls, Call.CURRENT_SETTING, "current_setting");
        name(calls, Call.SEQUENCE, "nextval setval pg_sequence_last_value pg_get_sequence_data");
        name(calls, Call.SEQUENCE_MEMORY, "currval lastval");
        name(calls, Call.CHANNELS, "pg_listening_channels");
        name(calls, Call.NOTIFY, "pg_notify");
        name(calls, Call.CANCEL, "pg_cancel_backend");
        name(calls, Call.TERMINATE, "pg_terminate_backend");
        name(calls, Call.TRANSACTION_LOCK, """
            pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock
            pg_try_advisory_xact_lock_shared
            """);
        name(calls, Call.SESSION_LOCK, """
            pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
            pg_advisory_unlock pg_advisory_unlock_shared pg_advisory_unlock_all
            """);
        name(calls, Call.SET_CONFIG, "set_config");
        name(calls, Call.SESSION_STATE, """
            setseed set_limit isn_weak dblink_connect dblink_connect_u pg_backup_start pg_start_backup
            pg_create_logical_replication_slot pg_create_physical_replication_slot pg_replication_origin_session_setup
            """);
        name(calls, Call.RESERVED, RESERVED);

        terms.forEach((word, term) -> put(word, Lexeme.word(term, calls.getOrDefault(word, Call.UNKNOWN))));
        calls.forEach((word, call) -> {
            if (!terms.containsKey(word)) {
                put(word, Lexeme.word(Term.NONE, call));
            }
        });
    }

    private Vocabulary() {}

    /**
     * The lexeme of the word whose letters stand from {@code start} to {@code end}, each taken through {@code fold}, or
     * {@link Lexeme#UNKNOWN_WORD}.
     *
     * @param key {@link SqlScanner#key} over the folded letters
     */
    static int word(byte[] text, int start, int end, long key, byte[] fold) {
        int slot = slot(key);
        while (true) {
            long found = KEYS[slot];
            if (found == 0) {
                return Lexeme.UNKNOWN_WORD;
            }
            if (found == key) {
                byte[] letters = LETTERS[slot];
                if (letters.length == end - start
                        && (letters.length <= Long.BYTES || same(letters, text, start, fold))) {
                    return LEXEMES[slot];
                }
            }
            slot = (slot + 1) & (SIZE - 1);
        }
    }

    private static boolean same(byte[] letters, byte[] text, int start, byte[] fold) {
        for (int i = 0; i < letters.length; i++) {
            if (fold[text[start + i] & 0xFF] != letters[i]) {
                return false;
            }
        }
        return true;
    }

    private static <T> void name(Map<String, T> meanings, T meaning, String words) {
        for (StringTokenizer each = new StringTokenizer(words); each.hasMoreTokens(); ) {
            meanings.put(each.nextToken(), meaning);
        }
    }

    private static void put(String word, int lexeme) {
        byte[] letters = word.getBytes(StandardCharsets.US_ASCII);
        long key = 0;
        for (byte letter : letters) {
            key = SqlScanner.key(key, letter);
        }
        if (key == 0) {
            throw new IllegalStateException("the key of an empty slot: " + word);
        }
        int slot = slot(key);
        while (KEYS[slot] != 0) {
            slot = (slot + 1) & (SIZE - 1);
        }
        KEYS[slot] = key;
        LETTERS[slot] = letters;
        LEXEMES[slot] = lexeme;
    }

    private static int slot(long key) {
        // Fibonacci hashing: the high bits of the product depend on all bits of the key.
        return (int) ((key * 0x9E37_79B9_7F4A_7C15L) >>> 52);
    }
}
