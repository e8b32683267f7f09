package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.Setting.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SettingsTest {
    /**
     * The names in PgBouncer's table, {@code src/main.c}, with its defaults where SHOW CONFIG has one, and of the version
     * behind it cleanup_server_connections.
     */
    private static final String PGBOUNCER = """
        admin_users=|application_name_add_host=0|auth_dbname|auth_file|auth_hba_file=|auth_ident_file|\
        auth_ldap_options|auth_pam_confdir=|auth_query|auth_type=md5|auth_user|autodb_idle_timeout=3600|\
        cancel_wait_timeout=10|cleanup_server_connections=0|client_idle_timeout=0|client_login_timeout=60|client_tls13_ciphers|\
        client_tls_ca_file=|client_tls_cert_file=|client_tls_ciphers=default|client_tls_dheparams=auto|\
        client_tls_ecdhcurve=auto|client_tls_key_file=|client_tls_protocols=secure|client_tls_sslmode=disable|\
        conffile|default_pool_size=20|disable_pqexec=0|dns_max_ttl=15|dns_nxdomain_ttl=15|\
        dns_zone_check_period=0|idle_transaction_timeout=0|ignore_startup_parameters=|job_name=pgbouncer|\
        listen_addr=|listen_backlog=128|listen_port=6432|log_connections=1|log_disconnections=1|\
        log_pooler_errors=1|log_stats=1|logfile=|login_notify_message=|max_client_conn=100|\
        max_db_client_connections=0|max_db_connections=0|max_packet_size=2147483647|max_prepared_statements=200|\
        max_user_client_connections=0|max_user_connections=0|min_pool_size=0|peer_id=0|pidfile=|pkt_buf=4096|\
        pool_idle_timeout=0|pool_mode=session|query_timeout=0|query_wait_notify=5|query_wait_timeout=120|\
        reserve_pool_size=0|reserve_pool_timeout=5|resolv_conf=|sbuf_loopcnt=5|scram_iterations=4096|\
        server_check_delay=30|server_check_query=<empty>|server_connect_timeout=15|server_fast_close=0|\
        server_idle_timeout=600|server_lifetime=3600|server_login_retry=15|server_reset_query=DISCARD ALL|\
        server_reset_query_always=0|server_round_robin=0|server_tls13_ciphers|server_tls_ca_file=|\
        server_tls_cert_file=|server_tls_ciphers=default|server_tls_key_file=|server_tls_protocols=secure|\
        server_tls_sslmode=prefer|service_name|so_reuseport=0|stats_period=60|stats_users=|suspend_timeout=10|\
        syslog=0|syslog_facility=daemon|syslog_ident=pgbouncer|tcp_defer_accept=1|tcp_keepalive=1|tcp_keepcnt=0|\
        tcp_keepidle=0|tcp_keepintvl=0|tcp_socket_buffer=0|tcp_user_timeout=0|\
        track_extra_parameters=|transaction_timeout=0|unix_socket_dir=/tmp|unix_socket_group=|\
        unix_socket_mode=0777|user|verbose\
        """;

    @Test
    void everySettingOfPgbouncerIsInTheTableWithItsDefault() {
        for (String entry : PGBOUNCER.split("\\|", -1)) {
            String name = entry.contains("=") ? entry.substring(0, entry.indexOf('=')) : entry;
            Setting<?> setting = Settings.find(name);
            assertThat(setting).as(name).isNotNull();
            if (setting != null && entry.contains("=")) {
                String theirs = setting.pgbouncerDefault() == null ? shownDefault(setting) : setting.pgbouncerDefault();
                assertThat(theirs).as(name).isEqualTo(entry.substring(entry.indexOf('=') + 1));
            }
        }
    }

    @Test
    void onlyOurOwnSettingsStandBesidePgbouncers() {
        List<String> theirs = Arrays.stream(PGBOUNCER.split("\\|", -1))
                .map(entry -> entry.replaceAll("=.*", ""))
                .toList();

        assertThat(Settings.global())
                .allSatisfy(setting ->
                        assertThat(setting.own()).as(setting.name()).isEqualTo(!theirs.contains(setting.name())));
    }

    @Test
    void namesAreInTheOrderOfShowConfig() {
        assertThat(Settings.global()).extracting(Setting::name).isSorted().doesNotHaveDuplicates();
        assertThat(PoolerConfig.defaults().show())
                .extracting(PoolerConfig.Shown::key)
                .isEqualTo(Settings.global().stream().map(Setting::name).toList());
    }

    @Test
    void everyDefaultIsAnAllowedValueAndReadsBackAsItself() throws InvalidValueException {
        for (Setting<?> setting : Settings.all()) {
            readsBack(setting);
        }
    }

    private static <T> void readsBack(Setting<T> setting) throws InvalidValueException {
        String text = setting.values().writer().apply(setting.defaultValue());
        assertThat(setting.values().reader().read(text == null ? "" : text))
                .as(setting.name())
                .isEqualTo(setting.defaultValue());
    }

    @Test
    void everyRowSaysWhatItDoesInASentence() {
        assertThat(Settings.all())
                .allSatisfy(setting -> assertThat(setting.doc())
                        .as(setting.name())
                        .matches("(?s)[A-Z`0].*\\.")
                        .doesNotContain("  "));
    }

    @Test
    void keysOfEntriesAreThoseOfPgbouncerAndOurOwn() {
        assertThat(Settings.keys(Scope.DATABASE))
                .contains(
                        "dbname",
                        "host",
                        "port",
                        "user",
                        "password",
                        "auth_user",
                        "auth_query",
                        "auth_dbname",
                        "pool_size",
                        "min_pool_size",
                        "reserve_pool_size",
                        "reserve_pool",
                        "connect_query",
                        "pool_mode",
                        "query_wait_timeout",
                        "load_balance_hosts",
                        "target_session_attrs",
                        "max_db_connections",
                        "max_db_client_connections",
                        "server_lifetime",
                        "client_encoding",
                        "datestyle",
                        "timezone",
                        "application_name",
                        "read_routing",
                        "routing_hints",
                        "deferred_begin",
                        "read_consistency",
                        "causal_wait",
                        "max_fallback_share",
                        "fallback_wait",
                        "balance",
                        "discovery",
                        "service",
                        "namespace",
                        "slow_start");
        assertThat(Settings.keys(Scope.USER))
                .containsExactlyInAnyOrder(
                        "pool_mode",
                        "pool_size",
                        "reserve_pool_size",
                        "max_user_connections",
                        "max_user_client_connections",
                        "query_timeout",
                        "query_wait_timeout",
                        "transaction_timeout",
                        "idle_transaction_timeout",
                        "client_idle_timeout",
                        "read_routing",
                        "routing_hints",
                        "deferred_begin",
                        "read_consistency");
        assertThat(Settings.keys(Scope.PEER)).containsExactly("host", "pool_size", "port");
    }

    /** As SHOW CONFIG of PgBouncer 1.26.1 has it in the column changeable. */
    @Test
    void whatNeedsARestartThereNeedsOneHere() {
        List<String> restart = List.of(
                "disable_pqexec",
                "job_name",
                "listen_addr",
                "listen_backlog",
                "listen_port",
                "pidfile",
                "pkt_buf",
                "resolv_conf",
                "service_name",
                "so_reuseport",
                "track_extra_parameters",
                "unix_socket_dir",
                "unix_socket_group",
                "unix_socket_mode",
                "user");

        assertThat(PoolerConfig.defaults().show())
                .filteredOn(line ->
                        !Objects.requireNonNull(Settings.find(line.key())).own())
                .allSatisfy(
                        line -> assertThat(line.changeable()).as(line.key()).isEqualTo(!restart.contains(line.key())));
    }

    @Test
    void nearestNameIsFoundByEdits() {
        assertThat(NearestName.of("pol_mode", Settings.keys(Scope.GLOBAL))).isEqualTo("pool_mode");
        assertThat(NearestName.of("max_client_conns", Settings.keys(Scope.GLOBAL)))
                .isEqualTo("max_client_conn");
        assertThat(NearestName.of("POOL-MODE", Settings.keys(Scope.GLOBAL))).isEqualTo("pool_mode");
        assertThat(NearestName.of("completely_else", Settings.keys(Scope.GLOBAL)))
                .isNull();
        assertThat(NearestName.of("", Settings.keys(Scope.GLOBAL))).isNull();
    }

    private static String shownDefault(Setting<?> setting) {
        return show(setting);
    }

    private static <T> String show(Setting<T> setting) {
        String text = setting.show(setting.defaultValue());
        return text == null ? "" : text;
    }
}
