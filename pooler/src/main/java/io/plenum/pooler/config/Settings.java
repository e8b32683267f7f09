package io.plenum.pooler.config;

import io.plenum.pooler.config.Setting.Effect;
import io.plenum.pooler.config.Setting.Group;
import io.plenum.pooler.config.Setting.Reload;
import io.plenum.pooler.config.Setting.Scope;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The table of settings: all of PgBouncer 1.26's and our own, one row each.
 *
 * <p>Names, defaults and meanings of PgBouncer's rows are those of its {@code src/main.c}, {@code src/loader.c} and
 * {@code doc/config.md}. Where our default differs the row says so.
 */
public final class Settings {
    private static final List<Setting<?>> ALL = new ArrayList<>();
    private static final Map<Scope, Map<String, Setting<?>>> BY_KEY = new EnumMap<>(Scope.class);

    // Where clients connect

    public static final Setting<List<String>> LISTEN_ADDR = row(
                    Group.LISTENING, "listen_addr", Values.names(), List.of())
            .restart()
            .doc("Addresses on which clients are accepted, with commas between; `*` is all of them. Empty is none.");

    public static final Setting<Integer> LISTEN_PORT = row(
                    Group.LISTENING, "listen_port", Values.number(0, 65535), 6432)
            .restart()
            .doc("Port on which clients are accepted; 0 lets the system choose one.");

    public static final Setting<Integer> LISTEN_BACKLOG = row(
                    Group.LISTENING, "listen_backlog", Values.atLeast(1, 65535), 128)
            .restart()
            .doc("Connections that the kernel holds until they are accepted; the kernel's own bound may be lower.");

    public static final Setting<Boolean> SO_REUSEPORT = row(Group.LISTENING, "so_reuseport", Values.flag(), false)
            .restart()
            .doc("Lets several processes listen on one port, the kernel sharing out the connections: one that is"
                    + " told to end listens no more from then on. Not needed to use several processors: see"
                    + " `event_loops`.");

    public static final Setting<String> UNIX_SOCKET_DIR = row(Group.LISTENING, "unix_socket_dir", Values.text(), "/tmp")
            .restart()
            .doc("Directory of the Unix socket `.s.PGSQL.PORT`; empty is none, `@` in front is the abstract namespace."
                    + " Where it is not set and the socket cannot be had, there is a warning and no socket.");

    public static final Setting<Integer> UNIX_SOCKET_MODE = row(
                    Group.LISTENING, "unix_socket_mode", Values.fileMode(), 0777)
            .restart()
            .doc("File mode of the Unix socket.");

    public static final Setting<String> UNIX_SOCKET_GROUP = row(Group.LISTENING, "unix_socket_group", Values.text(), "")
            .restart()
            .doc("Group of the Unix socket, by name or number.");

    public static final Setting<List<AddressRange>> PROXY_PROTOCOL_NETWORKS = row(
                    Group.LISTENING, "proxy_protocol_networks", AddressRange.values(), List.of())
            .own()
            .doc("From where a PROXY protocol header (version 2) is believed: addresses, networks as `10.0.0.0/8`,"
                    + " `unix` for the Unix socket, `*` for everywhere, with commas between. Such a client is, for"
                    + " hba rules, SHOW CLIENTS, log and `application_name_add_host`, where the header says."
                    + " Connections from there may also begin without a header. From elsewhere a header is no"
                    + " startup packet, and the connection is closed.");

    public static final Setting<Integer> MAX_CLIENT_CONN = row(
                    Group.LISTENING, "max_client_conn", Values.limit(10_000_000), 100)
            .doc("Client connections at once, of all databases and users together. One more is refused with 53300.");

    public static final Setting<Integer> MAX_LOGINS = row(
                    Group.LISTENING, "max_logins", Values.number(1, 1_000_000), 5_000)
            .own()
            .doc("Connections at once that have not proved yet who they are; they take no place of `max_client_conn`."
                    + " One more closes the one that has taken longest.");

    public static final Setting<Integer> MAX_LOGINS_PER_ADDRESS = row(
                    Group.LISTENING, "max_logins_per_address", Values.number(1, 1_000_000), 1_000)
            .own()
            .doc("The same for connections from one address.");

    public static final Setting<List<String>> HTTP_LISTEN_ADDR = row(
                    Group.LISTENING, "http_listen_addr", Values.names(), List.of("*"))
            .own()
            .restart()
            .doc("Addresses of the HTTP page with `/livez`, `/readyz` and `/metrics`; `*` is all of them.");

    public static final Setting<Integer> HTTP_LISTEN_PORT = row(
                    Group.LISTENING, "http_listen_port", Values.number(0, 65535), 9127)
            .own()
            .restart()
            .doc("Port of the HTTP page; 0 turns it off.");

    public static final Setting<String> HTTP_CONTROL_TOKEN = row(
                    Group.LISTENING, "http_control_token", Values.text(), "")
            .own()
            .secret()
            .doc("Who brings it as `Authorization: Bearer TOKEN` may `POST /pause` and `POST /resume` to the HTTP page;"
                    + " empty lets nobody.");

    public static final Setting<Duration> DRAIN_DELAY = row(
                    Group.LISTENING, "drain_delay", Values.seconds(), Duration.ofSeconds(5))
            .own()
            .doc("Time after SIGTERM in which `/readyz` says no while clients are still accepted, so that balancers"
                    + " notice before a client does. After it, no transaction begins and idle clients are sent away.");

    // Pooling

    public static final Setting<PoolMode> POOL_MODE = row(
                    Group.POOLING, "pool_mode", Values.choice(PoolMode.class), PoolMode.TRANSACTION)
            .pgbouncerDefault("session")
            .perDatabase("pool_mode")
            .perUser("pool_mode")
            .doc("When a server connection goes back to its pool: `session`, when the client disconnects;"
                    + " `transaction`, when the transaction ends; `statement`, when the statement ends, and"
                    + " transactions of several statements are refused. In each, a replication connection has a server"
                    + " connection of its own to the primary, which counts like the others and is closed with it.");

    public static final Setting<Integer> DEFAULT_POOL_SIZE = row(
                    Group.POOLING, "default_pool_size", Values.atLeast(1, 100_000), 20)
            .perDatabase("pool_size")
            .perUser("pool_size")
            .perPeer("pool_size")
            .doc("Server connections of a pool, which is one database and one user.");

    public static final Setting<Integer> MIN_POOL_SIZE = row(Group.POOLING, "min_pool_size", Values.limit(100_000), 0)
            .perDatabase("min_pool_size")
            .doc("Server connections that a pool keeps open while it has a client or its database names a `user`.");

    public static final Setting<Integer> RESERVE_POOL_SIZE = row(
                    Group.POOLING, "reserve_pool_size", Values.limit(100_000), 0)
            .perDatabase("reserve_pool_size", "reserve_pool")
            .perUser("reserve_pool_size")
            .doc("Further server connections of a pool once a client has waited `reserve_pool_timeout`.");

    public static final Setting<Duration> RESERVE_POOL_TIMEOUT = row(
                    Group.POOLING, "reserve_pool_timeout", Values.seconds(), Duration.ofSeconds(5))
            .doc("Wait after which a client may have a connection of the reserve; 0 turns the reserve off.");

    public static final Setting<Integer> MAX_DB_CONNECTIONS = row(
                    Group.POOLING, "max_db_connections", Values.limit(1_000_000), 0)
            .perDatabase("max_db_connections")
            .doc("Server connections of a database, over all its users and nodes, that of `catalog_refresh` among them;"
                    + " 0 is no limit. Not counted are those that must not wait for clients: where there are several"
                    + " nodes, on each one that asks what it is, for all databases with these hosts, and another while"
                    + " `read_consistency` needs to know where it stands; one for each user who LISTENs; two of"
                    + " `auth_query` at most.");

    public static final Setting<Integer> MAX_USER_CONNECTIONS = row(
                    Group.POOLING, "max_user_connections", Values.limit(1_000_000), 0)
            .perUser("max_user_connections")
            .doc("Server connections of a user, over all databases; 0 is no limit. What counts is as with"
                    + " `max_db_connections`.");

    public static final Setting<Integer> MAX_DB_CLIENT_CONNECTIONS = row(
                    Group.POOLING, "max_db_client_connections", Values.limit(10_000_000), 0)
            .perDatabase("max_db_client_connections")
            .doc("Clients that are logged in to a database; 0 is no limit. One more is refused with 53300.");

    public static final Setting<Integer> MAX_USER_CLIENT_CONNECTIONS = row(
                    Group.POOLING, "max_user_client_connections", Values.limit(10_000_000), 0)
            .perUser("max_user_client_connections")
            .doc("Clients that are logged in as a user; 0 is no limit. One more is refused with 53300.");

    public static final Setting<Boolean> SERVER_ROUND_ROBIN = row(
                    Group.POOLING, "server_round_robin", Values.flag(), false)
            .doc("0 takes the server connection used last, so that few stay warm; 1 takes each in turn. Says nothing"
                    + " about nodes: see `balance`.");

    public static final Setting<Integer> MAX_PREPARED_STATEMENTS = row(
                    Group.POOLING, "max_prepared_statements", Values.number(0, Integer.MAX_VALUE), 200)
            .doc("Named prepared statements of the protocol that are kept on one server connection; the one unused for"
                    + " longest makes room. 0 turns their tracking off in transaction and statement mode. For clients"
                    + " that are there a change counts from their next transaction on.");

    public static final Setting<SessionStatePolicy> SESSION_STATE = row(
                    Group.POOLING, "session_state", Values.choice(SessionStatePolicy.class), SessionStatePolicy.PIN)
            .own()
            .doc("What happens in transaction and statement mode to a client whose statement leaves in the server"
                    + " process what outlives the transaction (temporary objects, PREPARE, cursors WITH HOLD,"
                    + " session advisory locks, LOAD …): `pin`, it keeps its server until that is gone; `refuse`,"
                    + " it is disconnected.");

    public static final Setting<SequenceMemory> SEQUENCE_MEMORY = row(
                    Group.POOLING, "sequence_memory", Values.choice(SequenceMemory.class), SequenceMemory.TRANSACTION)
            .own()
            .doc("How long currval and lastval know in transaction and statement mode what a client drew from"
                    + " sequences: `transaction`; `session`, it keeps its server (SHOW PINS) once it has written"
                    + " anything, for a default may draw. For applications that ask behind an INSERT of its own.");

    public static final Setting<Integer> MAX_PINNED_SHARE = row(
                    Group.POOLING, "max_pinned_share", Values.number(0, 100), 80)
            .own()
            .doc("Percent of a pool's size that clients may keep to themselves beyond their transactions (SHOW PINS),"
                    + " rounded down but one at least; who would be one more is disconnected.");

    public static final Setting<Duration> PIN_IDLE_TIMEOUT = row(
                    Group.POOLING, "pin_idle_timeout", Values.seconds(), Duration.ofMinutes(10))
            .own()
            .doc("Longest that a client keeps a server to itself (SHOW PINS) without using it; it is disconnected then."
                    + " 0 is for ever.");

    public static final Setting<Scrub> SCRUB = row(Group.POOLING, "scrub", Values.choice(Scrub.class), Scrub.AUTO)
            .own()
            .doc("When a server is cleaned of what cannot be seen from outside before another client gets it:"
                    + " settings, roles, advisory locks, temporary objects, cursors, registrations; prepared"
                    + " statements of the protocol stay, and the client does not wait. `auto`, after a transaction"
                    + " that ran functions or other code that Plenum does not know; `always`; `never`.");

    public static final Setting<Boolean> CLEANUP_SERVER_CONNECTIONS = row(
                    Group.POOLING, "cleanup_server_connections", Values.flag(), false)
            .noMeaning(
                    "what a client changes in its session follows it and is brought in order for the next; see `scrub`")
            .doc("Undoes what a client has set before another one gets the server connection.");

    public static final Setting<Duration> AUTODB_IDLE_TIMEOUT = row(
                    Group.POOLING, "autodb_idle_timeout", Values.seconds(), Duration.ofHours(1))
            .doc("Time after which a database that was made from `*` is forgotten, with its pools and counters, when it"
                    + " has neither clients nor servers; 0 is never. One that nobody has got into is forgotten"
                    + " after ten seconds.");

    public static final Setting<Duration> POOL_IDLE_TIMEOUT = row(
                    Group.POOLING, "pool_idle_timeout", Values.seconds(), Duration.ZERO)
            .doc("Time after which a pool without clients and servers is forgotten, with its counters; 0 is never.");

    public static final Setting<List<String>> TRACK_EXTRA_PARAMETERS = row(
                    Group.POOLING, "track_extra_parameters", Values.names(), List.of())
            .restart()
            .doc("Further parameters to be kept per client. Plenum keeps all of them, whether PostgreSQL reports"
                    + " them or not, so none need be named.");

    public static final Setting<List<String>> IGNORE_STARTUP_PARAMETERS = row(
                    Group.POOLING, "ignore_startup_parameters", Values.names(), List.of())
            .doc("Startup parameters that are dropped. Plenum refuses none, so a driver needs no entry here. With"
                    + " `options` what stands in that is dropped, but for what PgBouncer keeps for each client.");

    public static final Setting<Boolean> DISABLE_PQEXEC = row(Group.POOLING, "disable_pqexec", Values.flag(), false)
            .restart()
            .doc("Closes a client that sends a simple query, which may hold several statements.");

    public static final Setting<Boolean> APPLICATION_NAME_ADD_HOST = row(
                    Group.POOLING, "application_name_add_host", Values.flag(), false)
            .doc("Appends address and port of the client to `application_name` at the start of a connection, as"
                    + " `psql - 10.0.0.7:41234`; what a later SET makes of it is left alone.");

    // Nodes and reads

    public static final Setting<ReadRouting> READ_ROUTING = row(
                    Group.ROUTING, "read_routing", Values.choice(ReadRouting.class), ReadRouting.AUTO)
            .own()
            .perDatabase("read_routing")
            .perUser("read_routing")
            .doc("Which transactions may go to a standby: `auto`, those proven to read, where the database has several"
                    + " nodes; `explicit`, those declared READ ONLY; `off`, none.");

    public static final Setting<RoutingHints> ROUTING_HINTS = row(
                    Group.ROUTING, "routing_hints", Values.choice(RoutingHints.class), RoutingHints.PRIMARY)
            .own()
            .perDatabase("routing_hints")
            .perUser("routing_hints")
            .doc("What a client may ask for by `SET plenum.route = primary` (`replica`, `auto`), or for one text by"
                    + " beginning it with the comment `/* plenum:primary */`: `off`, nothing; `primary`, the primary;"
                    + " `on`, also a replica for what was not proven to read only. What is known to write goes to the"
                    + " primary all the same.");

    public static final Setting<DeferredBegin> DEFERRED_BEGIN = row(
                    Group.ROUTING, "deferred_begin", Values.choice(DeferredBegin.class), DeferredBegin.ON)
            .own()
            .perDatabase("deferred_begin")
            .perUser("deferred_begin")
            .doc("What becomes of a BEGIN that comes alone, in transaction mode: `on`, Plenum answers it and sends it"
                    + " in front of the first statement, which chooses the node, so that the transaction takes no"
                    + " server before it needs one, and none at all if it is empty; `off`, it takes a server at once;"
                    + " `optimistic`, as `on`, and a READ COMMITTED transaction that may write begins on a standby if"
                    + " it begins with reads, and anew on the primary with its first statement that is none"
                    + " (docs/routing.md says what can be noticed).");

    public static final Setting<Duration> CATALOG_REFRESH = row(
                    Group.ROUTING, "catalog_refresh", Values.seconds(), Duration.ofSeconds(30))
            .own()
            .doc("How often each database in use is asked whether somebody else has defined functions, views, triggers"
                    + " or sequences; what clients of Plenum define is read at once. By these it is known which"
                    + " functions may run on a standby and what leaves state in a session. It takes a connection of"
                    + " its own for moments, of a single node not in the first second, which has another that idles"
                    + " closed where `max_db_connections` or `max_user_connections` allows no more, and gives way to"
                    + " clients that wait: while they use all there are, nothing new is read. 0 is never: then"
                    + " only built-in functions are known, and views and tables are taken for what they seem.");

    public static final Setting<ReadConsistency> READ_CONSISTENCY = row(
                    Group.ROUTING, "read_consistency", Values.choice(ReadConsistency.class), ReadConsistency.SESSION)
            .own()
            .perDatabase("read_consistency")
            .perUser("read_consistency")
            .doc("What a read on a standby must have seen: `eventual`, nothing in particular; `session`, the client's"
                    + " own commits; `monotonic`, also all it has read before; `pod`, all commits through this process;"
                    + " `cluster`, all commits. See [consistency.md](consistency.md).");

    public static final Setting<Duration> CAUSAL_WAIT = row(
                    Group.ROUTING, "causal_wait", Values.seconds(), Duration.ofMillis(20))
            .own()
            .perDatabase("causal_wait")
            .doc("Longest a read waits for a standby to catch up before it goes to the primary.");

    public static final Setting<Integer> MAX_FALLBACK_SHARE = row(
                    Group.ROUTING, "max_fallback_share", Values.number(0, 100), 50)
            .own()
            .perDatabase("max_fallback_share")
            .doc("Percent of the reads that must have seen something which may go to the primary because no standby has"
                    + " caught up. Over five seconds with more, the log says so, and `fallback_wait` holds.");

    public static final Setting<Duration> FALLBACK_WAIT = row(
                    Group.ROUTING, "fallback_wait", Values.seconds(), Duration.ZERO)
            .own()
            .perDatabase("fallback_wait")
            .doc("What `causal_wait` is raised to while more reads than `max_fallback_share` go to the primary, so that"
                    + " lagging standbys do not bring it down; 0 leaves it as it is.");

    public static final Setting<Balance> BALANCE = row(
                    Group.ROUTING, "balance", Values.choice(Balance.class), Balance.TWO_CHOICES)
            .own()
            .perDatabase("balance")
            .doc("How a read finds its standby: `two_choices`, the less busy of two drawn at random; `round_robin`,"
                    + " each in turn; `least_request`, the least busy of all; `random`; `ewma`, of two drawn at"
                    + " random the one where the first byte is expected sooner; `ring_hash` and `maglev`, by"
                    + " `balance_key`, always the same while it is there. What shares each gives:"
                    + " [balance.md](balance.md).");

    public static final Setting<BalanceKey> BALANCE_KEY = row(
                    Group.ROUTING, "balance_key", Values.choice(BalanceKey.class), BalanceKey.USER)
            .own()
            .perDatabase("balance_key")
            .doc("What `ring_hash` and `maglev` go by: `user` or `application_name`. A client may name another key,"
                    + " unless `routing_hints` is `off`: by `SET plenum.key = 'acme'`, or by a comment in front of"
                    + " a text, `/* plenum:key=acme */`.");

    public static final Setting<Boolean> OUTLIER_EJECTION = row(Group.ROUTING, "outlier_ejection", Values.flag(), true)
            .own()
            .perDatabase("outlier_ejection")
            .doc("Leaves standbys out of the reads for a while: those from which nothing comes although answers are"
                    + " owed, and probes neither; those that refuse three connections in a row; those that answer five"
                    + " times slower than the middle one. Save for silence, never more than half of them.");

    public static final Setting<DiscoveryMode> DISCOVERY = row(
                    Group.ROUTING, "discovery", Values.choice(DiscoveryMode.class), DiscoveryMode.AUTO)
            .own()
            .perDatabase("discovery")
            .doc("Where the addresses of the nodes come from: `static`, the `host` list as written; `dns`, all"
                    + " addresses behind the names, looked up again when their TTL ends, and what SRV records say of"
                    + " a name that begins with `_`; `kubernetes`, the EndpointSlices of `service`, watched; `auto`,"
                    + " `dns` for names and `static` for literal addresses.");

    public static final Setting<String> SERVICE = row(Group.ROUTING, "service", Values.text(), "")
            .own()
            .perDatabase("service")
            .doc("Kubernetes Service whose EndpointSlices name the nodes, for `discovery = kubernetes`. Empty: the"
                    + " first label of `host`.");

    public static final Setting<String> NAMESPACE = row(Group.ROUTING, "namespace", Values.text(), "")
            .own()
            .perDatabase("namespace")
            .doc("Kubernetes namespace of `service`. Empty: the second label of `host` where the service is its first,"
                    + " else our own.");

    public static final Setting<String> ZONE = row(Group.ROUTING, "zone", Values.text(), "")
            .own()
            .restart()
            .doc("Zone in which this process runs: standbys of the same zone get the reads, the others what would"
                    + " have to wait there. Empty: zones do not count. Nodes have a zone where Kubernetes says"
                    + " so.");

    public static final Setting<Duration> SLOW_START = row(Group.ROUTING, "slow_start", Values.seconds(), Duration.ZERO)
            .own()
            .perDatabase("slow_start")
            .doc("Time in which the share of a new or returned standby grows from a tenth to the full one; 0 is at"
                    + " once. No matter with `ring_hash` and `maglev`.");

    public static final Setting<Duration> HOLD_WINDOW = row(
                    Group.ROUTING, "hold_window", Values.seconds(), Duration.ofSeconds(10))
            .own()
            .doc("Longest that a transaction which needs the primary is held while a database of several nodes has"
                    + " none; then it fails with 57P03, the client stays connected. Twice as long in a row is held"
                    + " at most, and a third of the time with a primary is earned back. 0 leaves it to"
                    + " `query_wait_timeout`.");

    public static final Setting<Integer> HOLD_MAX_REQUESTS = row(
                    Group.ROUTING, "hold_max_requests", Values.number(0, 10_000_000), 10_000)
            .own()
            .doc("Transactions that are held at once, over all databases, while there is no primary; then the oldest"
                    + " fail with 57P03.");

    public static final Setting<Integer> HOLD_MAX_BYTES = row(
                    Group.ROUTING, "hold_max_bytes", Values.number(0, Integer.MAX_VALUE), 64 * 1024 * 1024)
            .own()
            .doc("Bytes that the clients of those transactions had sent when they began to wait, all together; then the"
                    + " oldest fail with 57P03.");

    public static final Setting<Duration> SMART_SHUTDOWN_TIMEOUT = row(
                    Group.ROUTING, "smart_shutdown_timeout", Values.seconds(), Duration.ofMinutes(3))
            .own()
            .doc("Longest that transactions and sessions go on which are open on a node of several that refuses new"
                    + " ones, for it is in a smart shutdown; then their clients are closed, so that it can end. 0"
                    + " waits as long as they take.");

    public static final Setting<String> MONITOR_USER = row(Group.ROUTING, "monitor_user", Values.optionalText(), "")
            .own()
            .perDatabase("monitor_user")
            .doc("User of the connections that find out what each node is. Empty: the `user` of the database, or"
                    + " that of a client, once it has had one.");

    public static final Setting<String> MONITOR_PASSWORD = row(
                    Group.ROUTING, "monitor_password", Values.optionalText(), "")
            .own()
            .secret()
            .perDatabase("monitor_password")
            .doc("Password of `monitor_user`. Empty: that of `auth_file`.");

    public static final Setting<List<HostPort>> DNS_SERVERS = row(
                    Group.ROUTING, "dns_servers", Values.nameServers(), List.of())
            .own()
            .restart()
            .doc("Name servers for discovery, each HOST or HOST:PORT. Empty: those of the system.");

    public static final Setting<Duration> DNS_MAX_TTL = row(
                    Group.ROUTING, "dns_max_ttl", Values.seconds(), Duration.ofSeconds(15))
            .doc("Longest that an answer of DNS is used; the TTL of the record ends it sooner.");

    public static final Setting<Duration> DNS_NXDOMAIN_TTL = row(
                    Group.ROUTING, "dns_nxdomain_ttl", Values.seconds(), Duration.ofSeconds(15))
            .noMeaning("a failed look-up is tried again within two seconds")
            .doc("Longest that a failed look-up is not tried again.");

    public static final Setting<Duration> DNS_ZONE_CHECK_PERIOD = row(
                    Group.ROUTING, "dns_zone_check_period", Values.seconds(), Duration.ZERO)
            .noMeaning("names are looked up again when their TTL ends, and the zone is not asked")
            .doc("How often the serial number of a DNS zone is read; 0 is never.");

    public static final Setting<String> RESOLV_CONF = row(Group.ROUTING, "resolv_conf", Values.text(), "")
            .restart()
            .doc("File with the name servers for discovery, in the place of /etc/resolv.conf; only its lines"
                    + " `nameserver` count. `dns_servers` goes before it.");

    // Authentication and console rights

    public static final Setting<AuthType> AUTH_TYPE = row(
                    Group.AUTHENTICATION, "auth_type", Values.choice(AuthType.class), AuthType.MD5)
            .doc("How clients prove who they are. `md5`: by MD5, or by SCRAM where the user's secret is one."
                    + " `scram-sha-256`: by SCRAM, from a SCRAM secret or a plain password. `plain`: the password"
                    + " itself is sent. `cert`: by a client certificate whose common name is the user. `ldap`: an LDAP"
                    + " server is asked, see `auth_ldap_options`. `pam`: the PAM of the machine is asked, as service"
                    + " `pgbouncer`. `hba`: as the first rule of `auth_hba_file` says that matches. `trust`: no proof,"
                    + " but the name must be known. `any`: no proof, and the name does not count; each database then"
                    + " needs a `user`.");

    public static final Setting<String> AUTH_FILE = row(Group.AUTHENTICATION, "auth_file", Values.optionalText(), "")
            .doc("File of users and their secrets, one `\"user\" \"secret\"` a line. Read again whenever it changes,"
                    + " without a reload, and looked for again where the name is relative; while it is missing or"
                    + " wrong, the users of before stay, and at the start there are none.");

    public static final Setting<String> AUTH_HBA_FILE = row(Group.AUTHENTICATION, "auth_hba_file", Values.text(), "")
            .doc("Rules for `auth_type = hba`, written as PostgreSQL's pg_hba.conf. Where none matches nobody gets"
                    + " in.");

    public static final Setting<String> AUTH_IDENT_FILE = row(
                    Group.AUTHENTICATION, "auth_ident_file", Values.optionalText(), "")
            .doc("Name maps for `map=` in `auth_hba_file`, written as PostgreSQL's pg_ident.conf.");

    public static final Setting<String> AUTH_USER = row(Group.AUTHENTICATION, "auth_user", Values.optionalText(), "")
            .perDatabase("auth_user")
            .doc("User who runs `auth_query` for users who are not in `auth_file`; its own secret is there.");

    public static final Setting<String> AUTH_QUERY = row(
                    Group.AUTHENTICATION,
                    "auth_query",
                    Values.text(),
                    "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END"
                            + " FROM pg_authid WHERE rolname=$1 AND rolcanlogin")
            .perDatabase("auth_query")
            .doc("Query for name and secret of the user `$1`, run at each login of a user who is not in `auth_file`. No"
                    + " row, or no name in it, is no such user; no secret in it lets nobody in. It runs on connections"
                    + " of its own, with nothing of the client's but the name.");

    public static final Setting<String> AUTH_DBNAME = row(
                    Group.AUTHENTICATION, "auth_dbname", Values.optionalText(), "")
            .perDatabase("auth_dbname")
            .doc("Entry of `[databases]` in which `auth_query` runs; empty is the client's.");

    public static final Setting<String> AUTH_LDAP_OPTIONS = row(
                    Group.AUTHENTICATION, "auth_ldap_options", Values.ldapOptions(), "")
            .secret()
            .doc("How the LDAP server is asked with `auth_type = ldap`: PostgreSQL's options of the method ldap,"
                    + " such as `ldapurl=\"ldap://host/dc=example,dc=net?uid?sub\"`.");

    public static final Setting<String> AUTH_PAM_CONFDIR = row(
                    Group.AUTHENTICATION, "auth_pam_confdir", Values.text(), "")
            .doc("Directory in the place of /etc/pam.d.");

    public static final Setting<Integer> SCRAM_ITERATIONS = row(
                    Group.AUTHENTICATION, "scram_iterations", Values.number(1, 10_000_000), 4096)
            .doc("Iterations of the SCRAM secrets that are made from plain passwords.");

    public static final Setting<List<String>> ADMIN_USERS = row(
                    Group.AUTHENTICATION, "admin_users", Values.names(), List.of())
            .doc("Users who may do everything on the console. With `auth_type = any` everybody may.");

    public static final Setting<List<String>> STATS_USERS = row(
                    Group.AUTHENTICATION, "stats_users", Values.names(), List.of())
            .doc("Users who may read on the console: SHOW.");

    public static final Setting<String> LOGIN_NOTIFY_MESSAGE = row(
                    Group.AUTHENTICATION, "login_notify_message", Values.text(), "")
            .doc("Notice to each client when it has logged in; empty is none.");

    // Life and checks of server connections

    public static final Setting<String> SERVER_RESET_QUERY = row(
                    Group.SERVERS, "server_reset_query", Values.text(), "DISCARD ALL")
            .doc("Query that cleans a server connection when a session ends; empty is none. Used in session mode,"
                    + " and in every mode with `server_reset_query_always`.");

    public static final Setting<Boolean> SERVER_RESET_QUERY_ALWAYS = row(
                    Group.SERVERS, "server_reset_query_always", Values.flag(), false)
            .doc("Runs `server_reset_query` in transaction and statement mode too.");

    public static final Setting<String> SERVER_CHECK_QUERY = row(
                    Group.SERVERS, "server_check_query", Values.text(), "<empty>")
            .doc("Query that shows whether a server connection still lives; `<empty>` sends the empty query, no text at"
                    + " all turns the check off.");

    public static final Setting<Duration> SERVER_CHECK_DELAY = row(
                    Group.SERVERS, "server_check_delay", Values.seconds(), Duration.ofSeconds(30))
            .doc("A server connection that was used less long ago is not checked; 0 checks always.");

    public static final Setting<Boolean> SERVER_FAST_CLOSE = row(
                    Group.SERVERS, "server_fast_close", Values.flag(), false)
            .doc("In session mode, closes a server connection that RECONNECT or RELOAD made old at the end of its"
                    + " transaction, not of its session; the client is closed with it.");

    public static final Setting<Duration> SERVER_LIFETIME = row(
                    Group.SERVERS, "server_lifetime", Values.seconds(), Duration.ofHours(1))
            .perDatabase("server_lifetime")
            .doc("A server connection that is older is closed when it is free; 0 uses each only once.");

    public static final Setting<Duration> SERVER_IDLE_TIMEOUT = row(
                    Group.SERVERS, "server_idle_timeout", Values.seconds(), Duration.ofMinutes(10))
            .doc("A server connection that was free for longer is closed; 0 is never.");

    public static final Setting<Duration> SERVER_CONNECT_TIMEOUT = row(
                    Group.SERVERS, "server_connect_timeout", Values.seconds(), Duration.ofSeconds(15))
            .doc("Longest that connecting and logging in to a server may take; 0 is no limit.");

    public static final Setting<Duration> SERVER_LOGIN_RETRY = row(
                    Group.SERVERS, "server_login_retry", Values.seconds(), Duration.ofSeconds(15))
            .doc("Wait after a failed connection to a server before the next try.");

    // Timeouts of clients and queries

    public static final Setting<Duration> QUERY_WAIT_TIMEOUT = row(
                    Group.TIMEOUTS, "query_wait_timeout", Values.seconds(), Duration.ofMinutes(2))
            .perDatabase("query_wait_timeout")
            .perUser("query_wait_timeout")
            .doc("Longest a client waits for a server connection; 0 waits forever.");

    public static final Setting<Integer> QUERY_WAIT_NOTIFY = row(
                    Group.TIMEOUTS, "query_wait_notify", Values.limit(1_000_000), 5)
            .doc("Seconds after which a client that waits for a server connection is told so by a NOTICE; 0 is never.");

    public static final Setting<Duration> CANCEL_WAIT_TIMEOUT = row(
                    Group.TIMEOUTS, "cancel_wait_timeout", Values.seconds(), Duration.ofSeconds(10))
            .doc("Longest a cancel request may take to reach its server or its peer; the server connection that it"
                    + " is for is closed then. 0 waits forever.");

    public static final Setting<Duration> QUERY_TIMEOUT = row(
                    Group.TIMEOUTS, "query_timeout", Values.seconds(), Duration.ZERO)
            .perUser("query_timeout")
            .doc("Longest a query may take, its wait for a server connection included, then client and server"
                    + " connection are closed; 0 is no limit.");

    public static final Setting<Duration> CLIENT_IDLE_TIMEOUT = row(
                    Group.TIMEOUTS, "client_idle_timeout", Values.seconds(), Duration.ZERO)
            .perUser("client_idle_timeout")
            .doc("A client that sends nothing for so long, outside a transaction, is closed; 0 is no limit.");

    public static final Setting<Duration> IDLE_TRANSACTION_TIMEOUT = row(
                    Group.TIMEOUTS, "idle_transaction_timeout", Values.seconds(), Duration.ZERO)
            .perUser("idle_transaction_timeout")
            .doc("A client that sends nothing for so long inside a transaction is closed; 0 is no limit.");

    public static final Setting<Duration> TRANSACTION_TIMEOUT = row(
                    Group.TIMEOUTS, "transaction_timeout", Values.seconds(), Duration.ZERO)
            .perUser("transaction_timeout")
            .doc("A client whose transaction takes longer is closed; 0 is no limit.");

    public static final Setting<Duration> CLIENT_LOGIN_TIMEOUT = row(
                    Group.TIMEOUTS, "client_login_timeout", Values.seconds(), Duration.ofMinutes(1))
            .doc("A client that has not logged in after so long is closed; 0 is no limit.");

    public static final Setting<Duration> SUSPEND_TIMEOUT = row(
                    Group.TIMEOUTS, "suspend_timeout", Values.seconds(), Duration.ofSeconds(10))
            .doc("Longest that SUSPEND waits until clients have taken what they were sent.");

    // Log

    public static final Setting<String> LOGFILE = row(Group.LOGGING, "logfile", Values.text(), "")
            .doc("File to which the log is written besides the standard error; reopened by RELOAD.");

    public static final Setting<Boolean> LOG_CONNECTIONS =
            row(Group.LOGGING, "log_connections", Values.flag(), true).doc("Logs each login.");

    public static final Setting<Boolean> LOG_DISCONNECTIONS = row(
                    Group.LOGGING, "log_disconnections", Values.flag(), true)
            .doc("Logs each end of a connection and its reason.");

    public static final Setting<Boolean> LOG_POOLER_ERRORS = row(
                    Group.LOGGING, "log_pooler_errors", Values.flag(), true)
            .doc("Logs each error that Plenum itself sends to a client.");

    public static final Setting<Boolean> LOG_STATS =
            row(Group.LOGGING, "log_stats", Values.flag(), true).doc("Logs the averages of each `stats_period`.");

    public static final Setting<Duration> STATS_PERIOD = row(
                    Group.LOGGING, "stats_period", Values.seconds(BigDecimal.ONE), Duration.ofMinutes(1))
            .doc("Time over which the averages of SHOW are taken and after which the log gets a line of them.");

    public static final Setting<Integer> VERBOSE = row(Group.LOGGING, "verbose", Values.limit(Integer.MAX_VALUE), 0)
            .doc("More log, as `-v` on the command line: 1 debug, 2 and more everything.");

    public static final Setting<Boolean> SYSLOG = row(Group.LOGGING, "syslog", Values.flag(), false)
            .doc("Sends the log to syslog too, by /dev/log; on Linux.");

    public static final Setting<String> SYSLOG_IDENT =
            row(Group.LOGGING, "syslog_ident", Values.text(), "pgbouncer").doc("Name under which syslog gets the log.");

    public static final Setting<SyslogFacility> SYSLOG_FACILITY = row(
                    Group.LOGGING, "syslog_facility", Values.choice(SyslogFacility.class), SyslogFacility.DAEMON)
            .doc("Facility under which syslog gets the log.");

    // Process

    public static final Setting<String> CONFFILE = row(Group.PROCESS, "conffile", Values.optionalText(), "")
            .doc("The file that RELOAD reads. Empty: the one of the command line.");

    public static final Setting<String> PIDFILE = row(Group.PROCESS, "pidfile", Values.text(), "")
            .restart()
            .doc("File that holds the process id while Plenum runs. It must not exist at the start, unless the process"
                    + " that it names is gone.");

    public static final Setting<String> USER = row(Group.PROCESS, "user", Values.optionalText(), "")
            .restart()
            .doc("Unix user under which Plenum must run. The launcher `plenum` becomes that user when root starts"
                    + " it, as far as the line stands in the file itself; a Java process cannot change its user,"
                    + " so Plenum refuses to start as another one.");

    public static final Setting<Integer> EVENT_LOOPS = row(Group.PROCESS, "event_loops", Values.number(0, 1024), 0)
            .own()
            .restart()
            .doc("Threads that move the data; 0 is one for each processor that the container may use.");

    public static final Setting<Transport> TRANSPORT = row(
                    Group.PROCESS, "transport", Values.choice(Transport.class), Transport.AUTO)
            .own()
            .restart()
            .doc("The socket layer: `io_uring`, `epoll` or `nio`; `auto` takes the first of them that kernel and"
                    + " container allow.");

    public static final Setting<String> JOB_NAME = row(Group.PROCESS, "job_name", Values.text(), "pgbouncer")
            .restart()
            .noMeaning("it names a service of Windows")
            .doc("Name of the process for scripts.");

    public static final Setting<String> SERVICE_NAME = row(Group.PROCESS, "service_name", Values.text(), "pgbouncer")
            .restart()
            .noMeaning("it names a service of Windows")
            .doc("Alias of `job_name`.");

    // TLS

    public static final Setting<TlsMode> CLIENT_TLS_SSLMODE = row(
                    Group.TLS, "client_tls_sslmode", Values.choice(TlsMode.class), TlsMode.DISABLE)
            .doc("TLS towards clients: `disable`; `allow` or `prefer`, whoever asks gets it; `require`, nobody is"
                    + " let in without; `verify-ca` or `verify-full`, nor without a certificate of"
                    + " `client_tls_ca_file`. Where that file is set, a certificate that a client shows is checked"
                    + " in every mode. Unix sockets have no TLS and need none.");

    public static final Setting<TlsMode> SERVER_TLS_SSLMODE = row(
                    Group.TLS, "server_tls_sslmode", Values.choice(TlsMode.class), TlsMode.PREFER)
            .doc("TLS towards servers: `disable`; `allow` or `prefer`, if the server has it; `require`, no connection"
                    + " without; `verify-ca`, nor one whose certificate is not of `server_tls_ca_file`; `verify-full`,"
                    + " nor one whose certificate is not for the `host` of the database entry. Holds for all"
                    + " connections to servers, those of probes and cancel requests among them.");

    public static final Setting<TlsNegotiation> SERVER_TLS_SSLNEGOTIATION = row(
                    Group.TLS,
                    "server_tls_sslnegotiation",
                    Values.choice(TlsNegotiation.class),
                    TlsNegotiation.POSTGRES)
            .own()
            .doc("How TLS with a server begins, as libpq's `sslnegotiation`: `postgres` asks first; `direct` begins"
                    + " with the handshake, which saves a round trip and needs PostgreSQL 17 and a mode that"
                    + " demands TLS. Clients may do either.");

    public static final Setting<String> CLIENT_TLS_KEY_FILE = tls(
            "client_tls_key_file", Values.text(), "", "Private key for TLS towards clients: PEM, without a password.");
    public static final Setting<String> CLIENT_TLS_CERT_FILE = tls(
            "client_tls_cert_file",
            Values.text(),
            "",
            "Certificate for TLS towards clients, those of authorities between behind it. RELOAD reads the files again;"
                    + " connections that are there keep theirs.");
    public static final Setting<String> CLIENT_TLS_CA_FILE =
            tls("client_tls_ca_file", Values.text(), "", "Authorities that certificates of clients must come from.");
    public static final Setting<String> CLIENT_TLS_PROTOCOLS = tls(
            "client_tls_protocols",
            Values.text(),
            "secure",
            "TLS versions towards clients: `secure` is 1.2 and 1.3, `all` adds 1.0 and 1.1, which engines may refuse"
                    + " all the same; or a list, as `tlsv1.3`.");
    public static final Setting<String> CLIENT_TLS_CIPHERS = tls(
            "client_tls_ciphers",
            Values.text(),
            "default",
            "Ciphers of TLS 1.2 towards clients in OpenSSL's language, as `HIGH:!SHA1` or names with colons between;"
                    + " `default` leaves it to the engine.");
    public static final Setting<String> CLIENT_TLS13_CIPHERS = tls(
            "client_tls13_ciphers",
            Values.optionalText(),
            "",
            "Ciphers of TLS 1.3 towards clients, with colons between. BoringSSL has no such choice, so with it Java's"
                    + " own engine is used.");
    public static final Setting<String> CLIENT_TLS_ECDHCURVE = tls(
            "client_tls_ecdhcurve",
            Values.text(),
            "auto",
            "Curves of the key exchange with clients, with colons between; `auto` leaves it to the engine.");
    public static final Setting<String> CLIENT_TLS_DHEPARAMS = row(
                    Group.TLS, "client_tls_dheparams", Values.text(), "auto")
            .noMeaning("the engines have groups of their own for DHE, and ECDHE is what is used")
            .doc("Kind of the DHE key exchange with clients.");
    public static final Setting<String> SERVER_TLS_KEY_FILE =
            tls("server_tls_key_file", Values.text(), "", "Private key that proves us to servers.");
    public static final Setting<String> SERVER_TLS_CERT_FILE =
            tls("server_tls_cert_file", Values.text(), "", "Certificate that proves us to servers.");
    public static final Setting<String> SERVER_TLS_CA_FILE = tls(
            "server_tls_ca_file",
            Values.text(),
            "",
            "Authorities that certificates of servers must come from, in the modes that check it. Without it: those"
                    + " that Java trusts.");
    public static final Setting<String> SERVER_TLS_PROTOCOLS =
            tls("server_tls_protocols", Values.text(), "secure", "TLS versions towards servers.");
    public static final Setting<String> SERVER_TLS_CIPHERS =
            tls("server_tls_ciphers", Values.text(), "default", "Ciphers of TLS 1.2 towards servers.");
    public static final Setting<String> SERVER_TLS13_CIPHERS =
            tls("server_tls13_ciphers", Values.optionalText(), "", "Ciphers of TLS 1.3 towards servers.");

    // Network

    public static final Setting<Boolean> TCP_KEEPALIVE =
            row(Group.NETWORK, "tcp_keepalive", Values.flag(), true).doc("Turns on TCP's own search for dead peers.");

    public static final Setting<Integer> TCP_KEEPCNT = row(Group.NETWORK, "tcp_keepcnt", Values.limit(127), 0)
            .doc("Unanswered probes after which a peer is dead; 0 leaves it to the kernel.");

    public static final Setting<Integer> TCP_KEEPIDLE = row(Group.NETWORK, "tcp_keepidle", Values.limit(32767), 0)
            .doc("Seconds of silence before the first probe; 0 leaves it to the kernel.");

    public static final Setting<Integer> TCP_KEEPINTVL = row(Group.NETWORK, "tcp_keepintvl", Values.limit(32767), 0)
            .doc("Seconds between probes; 0 leaves it to the kernel.");

    public static final Setting<Duration> TCP_USER_TIMEOUT = row(
                    Group.NETWORK, "tcp_user_timeout", Values.milliseconds(), Duration.ZERO)
            .doc("Milliseconds for which sent data may stay unacknowledged; 0 leaves it to the kernel.");

    public static final Setting<Integer> TCP_DEFER_ACCEPT = row(
                    Group.NETWORK, "tcp_defer_accept", Values.limit(Integer.MAX_VALUE), 1)
            .doc("Seconds for which the kernel keeps a client to itself until it has sent something; 0 hands it"
                    + " over at once. Linux alone.");

    public static final Setting<Integer> TCP_SOCKET_BUFFER = row(
                    Group.NETWORK, "tcp_socket_buffer", Values.limit(Integer.MAX_VALUE), 0)
            .doc("Bytes of the kernel's buffers of a socket; 0 leaves it to the kernel.");

    public static final Setting<Integer> MAX_PACKET_SIZE = row(
                    Group.NETWORK, "max_packet_size", Values.atLeast(1024, Integer.MAX_VALUE), Integer.MAX_VALUE)
            .doc("Bytes of the largest message that a client may send; more closes it. Messages of servers are"
                    + " passed on in pieces, whatever their size.");

    public static final Setting<Integer> PKT_BUF = row(Group.NETWORK, "pkt_buf", Values.limit(Integer.MAX_VALUE), 4096)
            .restart()
            .noMeaning("buffers grow and shrink with what they carry")
            .doc("Bytes of a socket's buffer.");

    public static final Setting<Integer> SBUF_LOOPCNT = row(
                    Group.NETWORK, "sbuf_loopcnt", Values.limit(Integer.MAX_VALUE), 5)
            .noMeaning("a busy connection cannot hold up the others")
            .doc("Reads of a socket in one turn.");

    // Connection of a database: [databases] alone

    public static final Setting<List<String>> DATABASE_HOST = row(Group.DATABASE, "host", Values.hosts(), List.of())
            .only(Scope.DATABASE)
            .doc("Names or addresses of the nodes, with commas between. A name may stand for many addresses. Which node"
                    + " is the primary is found, not declared. Not set: `localhost`.");

    public static final Setting<List<Integer>> DATABASE_PORT = row(
                    Group.DATABASE, "port", Values.ports(), List.of(5432))
            .only(Scope.DATABASE)
            .doc("Port of the nodes: one for all of them, or one for each entry of `host`, with commas between.");

    public static final Setting<List<Integer>> DATABASE_WEIGHT = row(
                    Group.DATABASE, "weight", Values.weights(), List.of(1))
            .own()
            .only(Scope.DATABASE)
            .doc("What part of the reads each node is to have beside the others: one for all of them, or one for each"
                    + " entry of `host`, with commas between. It counts with every `balance`.");

    public static final Setting<String> DATABASE_DBNAME = row(Group.DATABASE, "dbname", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("Name of the database on the server. Not set: the name that the client gave.");

    public static final Setting<String> DATABASE_USER = row(Group.DATABASE, "user", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("User for all server connections; there is then one pool for all clients of the database. Not set: the"
                    + " client's user.");

    public static final Setting<String> DATABASE_PASSWORD = row(Group.DATABASE, "password", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .secret()
            .doc("Password of `user`. Not set: that of `auth_file`.");

    public static final Setting<String> DATABASE_CONNECT_QUERY = row(
                    Group.DATABASE, "connect_query", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("Query that runs on each new server connection before a client gets it.");

    public static final Setting<String> DATABASE_CLIENT_ENCODING = row(
                    Group.DATABASE, "client_encoding", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("`client_encoding` to ask of the server.");

    public static final Setting<String> DATABASE_DATESTYLE = row(Group.DATABASE, "datestyle", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("`datestyle` to ask of the server.");

    public static final Setting<String> DATABASE_TIMEZONE = row(Group.DATABASE, "timezone", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("`timezone` to ask of the server.");

    public static final Setting<String> DATABASE_APPLICATION_NAME = row(
                    Group.DATABASE, "application_name", Values.optionalText(), "")
            .only(Scope.DATABASE)
            .doc("`application_name` to ask of the server.");

    public static final Setting<LoadBalanceHosts> DATABASE_LOAD_BALANCE_HOSTS = row(
                    Group.DATABASE,
                    "load_balance_hosts",
                    Values.choice(LoadBalanceHosts.class),
                    LoadBalanceHosts.ROUND_ROBIN)
            .only(Scope.DATABASE)
            .noMeaning(
                    "the role of a node and `balance` decide, for the hosts of an entry are the nodes of one cluster:"
                            + " what belongs to another one, as SHOW NODES says, gets nothing and needs an entry of its"
                            + " own")
            .doc("Which entry of `host` a new connection takes.");

    public static final Setting<TargetSessionAttrs> DATABASE_TARGET_SESSION_ATTRS = row(
                    Group.DATABASE,
                    "target_session_attrs",
                    Values.choice(TargetSessionAttrs.class),
                    TargetSessionAttrs.ANY)
            .only(Scope.DATABASE)
            .noMeaning("writes go to the primary and reads where `read_routing` lets them, whichever it is")
            .doc("Which of the hosts may be used.");

    // Peers

    public static final Setting<Integer> PEER_ID = row(Group.PEERS, "peer_id", Values.number(0, 16383), 0)
            .doc("Number of this process among its peers, which stands in its cancel keys: a request that a"
                    + " balancer sends to another peer is passed on to this one. 0 is no peers, or with"
                    + " `peer_service` a number made from the address.");

    public static final Setting<String> PEER_SERVICE = row(Group.PEERS, "peer_service", Values.text(), "")
            .own()
            .doc("Name whose addresses are the peers, such as a headless Service over the Pods of Plenum: each is a"
                    + " peer on `listen_port`, with a number made from its address. Empty is none. Peers of"
                    + " `[peers]` may stand beside them.");

    public static final Setting<String> PEER_HOST = row(Group.PEERS, "host", Values.optionalText(), "")
            .only(Scope.PEER)
            .doc("Name or address of the peer, or the directory of its Unix socket; must be set.");

    public static final Setting<Integer> PEER_PORT = row(Group.PEERS, "port", Values.number(1, 65535), 6432)
            .only(Scope.PEER)
            .doc("Port of the peer.");

    private Settings() {}

    /** Every row, in the order of the table. */
    public static List<Setting<?>> all() {
        return List.copyOf(ALL);
    }

    /** The rows of {@code [pgbouncer]} and {@code [plenum]}, by name: the order of SHOW CONFIG. */
    public static List<Setting<?>> global() {
        return ALL.stream()
                .filter(Setting::isGlobal)
                .sorted(Comparator.comparing(Setting::name))
                .toList();
    }

    /** The row of {@code [pgbouncer]} and {@code [plenum]} with that name. */
    public static @Nullable Setting<?> find(String name) {
        return find(Scope.GLOBAL, name);
    }

    /** The row that {@code key} means in that place. */
    public static @Nullable Setting<?> find(Scope scope, String key) {
        return BY_KEY.getOrDefault(scope, Map.of()).get(key);
    }

    /** All keys that may be written in that place, by name. */
    static Set<String> keys(Scope scope) {
        return new TreeSet<>(BY_KEY.getOrDefault(scope, Map.of()).keySet());
    }

    private static Setting<String> tls(String name, Values<String> values, String defaultValue, String doc) {
        return row(Group.TLS, name, values, defaultValue).doc(doc);
    }

    private static <T> Row<T> row(Group group, String name, Values<T> values, T defaultValue) {
        return new Row<>(group, name, values, defaultValue);
    }

    /** A row while it is written; {@link #doc} ends it and puts it into the table. */
    private static final class Row<T> {
        private final Group group;
        private final String name;
        private final Values<T> values;
        private final T defaultValue;
        private final Map<Scope, List<String>> keys = new EnumMap<>(Scope.class);
        private @Nullable String pgbouncerDefault;
        private boolean own;
        private boolean secret;
        private Reload reload = Reload.LIVE;
        private Effect<T> effect = new Effect.InForce<>();

        Row(Group group, String name, Values<T> values, T defaultValue) {
            this.group = group;
            this.name = name;
            this.values = values;
            this.defaultValue = defaultValue;
            keys.put(Scope.GLOBAL, List.of(name));
        }

        Row<T> own() {
            own = true;
            return this;
        }

        Row<T> restart() {
            reload = Reload.RESTART;
            return this;
        }

        Row<T> secret() {
            secret = true;
            return this;
        }

        Row<T> pgbouncerDefault(String text) {
            pgbouncerDefault = text;
            return this;
        }

        Row<T> perDatabase(String... spellings) {
            keys.put(Scope.DATABASE, List.of(spellings));
            return this;
        }

        Row<T> perUser(String key) {
            keys.put(Scope.USER, List.of(key));
            return this;
        }

        Row<T> perPeer(String key) {
            keys.put(Scope.PEER, List.of(key));
            return this;
        }

        Row<T> only(Scope scope) {
            keys.clear();
            keys.put(scope, List.of(name));
            return this;
        }

        Row<T> noMeaning(String why) {
            effect = new Effect.NoMeaning<>(why);
            return this;
        }

        Setting<T> doc(String text) {
            Setting<T> setting = new Setting<>(
                    ALL.size(),
                    name,
                    group,
                    values,
                    defaultValue,
                    pgbouncerDefault,
                    own,
                    reload,
                    Map.copyOf(keys),
                    secret,
                    effect,
                    text);
            ALL.add(setting);
            keys.forEach((scope, spellings) -> {
                for (String spelling : spellings) {
                    Setting<?> other =
                            BY_KEY.computeIfAbsent(scope, _ -> new HashMap<>()).put(spelling, setting);
                    if (other != null) {
                        throw new IllegalStateException("two rows for " + spelling + " in " + scope);
                    }
                }
            });
            return setting;
        }
    }
}
