package io.plenum.pooler.admin;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.admin.ResultWriter.Formats;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.client.ClientConnection;
import io.plenum.pooler.client.ConsoleSession;
import io.plenum.pooler.config.PoolMode;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.WireReader;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's talk with the console, in simple and extended protocol.
 *
 * <p>Manual, "Message Flow": one command for each Query; Parse, Bind, Describe, Execute and Close as with PostgreSQL, save
 * that there are no parameters; after an error everything up to Sync is skipped; portals end at Sync. Confined to its
 * client's event loop.
 */
final class SqlSession implements ConsoleSession, Console.Patience {
    private static final Logger LOG = LoggerFactory.getLogger(SqlSession.class);

    /** As many named statements, and as many portals, may be kept. */
    private static final int MOST_KEPT = 256;

    /** What Parse made of a text; a null command is the empty one. */
    private record Statement(@Nullable Command command) {}

    /** A bound statement; once it ran, the rows that were not fetched yet. */
    private static final class Portal {
        private final Statement statement;
        private final Formats formats;
        private boolean ran;
        private List<Row> rows = List.of();
        private int fetched;

        Portal(Statement statement, Formats formats) {
            this.statement = statement;
            this.formats = formats;
        }
    }

    private final Console console;
    private final ClientConnection client;
    private final String user;
    private final boolean owner;
    private final Map<String, Statement> statements = new HashMap<>();
    private final Map<String, Portal> portals = new HashMap<>();
    private TransactionStatus status = TransactionStatus.IDLE;
    private boolean skipping;
    private boolean busy;
    private volatile boolean canceled;
    private volatile boolean gone;

    SqlSession(Console console, ClientConnection client, String user, boolean owner) {
        this.console = console;
        this.client = client;
        this.user = user;
        this.owner = owner;
    }

    @Override
    public void welcome(ByteBuf out) {
        BackendMessages.parameterStatus(out, "pgbouncer.version", ShowTables.PGBOUNCER_VERSION);
        BackendMessages.parameterStatus(out, "pgbouncer.max_prepared_statements", "0");
        BackendMessages.parameterStatus(out, "pgbouncer.pool_mode", PoolMode.STATEMENT.word());
        BackendMessages.parameterStatus(out, "server_version", ShowTables.serverVersion());
        BackendMessages.parameterStatus(out, "client_encoding", "UTF8");
        BackendMessages.parameterStatus(out, "server_encoding", "UTF8");
        BackendMessages.parameterStatus(out, "DateStyle", "ISO");
        BackendMessages.parameterStatus(out, "TimeZone", "GMT");
        BackendMessages.parameterStatus(out, "standard_conforming_strings", "on");
        BackendMessages.parameterStatus(out, "is_superuser", "on");
    }

    @Override
    public boolean isBusy() {
        return busy;
    }

    @Override
    public void onClosed() {
        gone = true;
        console.onGone(this);
        statements.clear();
        portals.clear();
    }

    @Override
    public void onCancel() {
        canceled = busy;
    }

    @Override
    public boolean isCanceled() {
        return canceled;
    }

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public void onMessage(FrontendType type, ByteBuf bytes, int start, int end) {
        if (skipping && type != FrontendType.SYNC) {
            return;
        }
        var body = new WireReader(bytes, start + Limits.HEADER, end);
        switch (type) {
            case QUERY -> onQuery(body);
            case PARSE -> onParse(body);
            case BIND -> onBind(body);
            case DESCRIBE -> onDescribe(body);
            case EXECUTE -> onExecute(body);
            case CLOSE -> onClose(body);
            case SYNC -> {
                skipping = false;
                portals.clear();
                ready();
            }
            case FUNCTION_CALL -> {
                ErrorResponse.error(SqlState.FEATURE_NOT_SUPPORTED, "the console has no functions")
                        .writeTo(out());
                ready();
            }
            case FLUSH, COPY_DATA, COPY_DONE, COPY_FAIL -> {} // all is flushed anyway; there is no COPY
            case PASSWORD, TERMINATE -> throw new ProtocolException("invalid frontend message type " + type.code());
        }
    }

    // --- simple ----------------------------------------------------------------------------------------------------

    private void onQuery(WireReader body) {
        String text = body.readCString();
        body.expectEnd();
        Command command;
        try {
            command = Command.parse(text);
        } catch (Command.Misunderstood misunderstood) {
            misunderstood.error().writeTo(out());
            ready();
            return;
        }
        if (command == null) {
            BackendMessages.emptyQueryResponse(out());
            ready();
            return;
        }
        run(command, answer -> {
            switch (answer) {
                case Answer.Rows rows -> {
                    ResultWriter.rowDescription(out(), rows.table().columns(), Formats.TEXT);
                    for (Row row : rows.rows()) {
                        ResultWriter.dataRow(out(), rows.table().columns(), row, Formats.TEXT);
                    }
                    BackendMessages.commandComplete(
                            out(), tag(command, rows.rows().size()));
                    ready();
                }
                case Answer.Done done -> {
                    complete(done);
                    ready();
                }
                case Answer.Refused refused -> {
                    refused.error().writeTo(out());
                    ready();
                }
                case Answer.Silence _ -> {}
            }
        });
    }

    // --- extended --------------------------------------------------------------------------------------------------

    private void onParse(WireReader body) {
        String name = body.readCString();
        String text = body.readCString();
        int parameters = body.readUnsignedShort();
        body.readBytes(parameters * Integer.BYTES);
        body.expectEnd();
        if (!name.isEmpty() && statements.containsKey(name)) {
            fail(SqlState.DUPLICATE_PREPARED_STATEMENT, "prepared statement \"%s\" already exists".formatted(name));
        } else if (statements.size() >= MOST_KEPT) {
            fail(SqlState.PROGRAM_LIMIT_EXCEEDED, "the console keeps at most %d statements".formatted(MOST_KEPT));
        } else {
            try {
                statements.put(name, new Statement(Command.parse(text)));
                BackendMessages.parseComplete(out());
            } catch (Command.Misunderstood misunderstood) {
                fail(misunderstood.error());
            }
        }
    }

    private void onBind(WireReader body) {
        String portal = body.readCString();
        String name = body.readCString();
        body.readBytes(body.readUnsignedShort() * Short.BYTES);
        int parameters = body.readUnsignedShort();
        for (int i = 0; i < parameters; i++) {
            int length = body.readInt();
            body.readBytes(Math.max(0, length));
        }
        int[] codes = new int[body.readUnsignedShort()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = body.readUnsignedShort();
        }
        body.expectEnd();
        Statement statement = statements.get(name);
        if (statement == null) {
            fail(SqlState.INVALID_SQL_STATEMENT_NAME, "prepared statement \"%s\" does not exist".formatted(name));
        } else if (parameters > 0) {
            fail(
                    SqlState.PROTOCOL_VIOLATION,
                    "bind message supplies %d parameters, but prepared statement \"%s\" requires 0"
                            .formatted(parameters, name));
        } else if (!portal.isEmpty() && portals.containsKey(portal)) {
            fail(SqlState.DUPLICATE_CURSOR, "cursor \"%s\" already exists".formatted(portal));
        } else if (portals.size() >= MOST_KEPT) {
            fail(SqlState.PROGRAM_LIMIT_EXCEEDED, "the console keeps at most %d portals".formatted(MOST_KEPT));
        } else {
            Formats formats = new Formats(codes);
            try {
                formats.check(columns(statement).size());
            } catch (ProtocolException misfit) {
                fail(SqlState.PROTOCOL_VIOLATION, String.valueOf(misfit.getMessage()));
                return;
            }
            portals.put(portal, new Portal(statement, formats));
            BackendMessages.bindComplete(out());
        }
    }

    private void onDescribe(WireReader body) {
        boolean ofStatement = isStatement(body);
        String name = body.readCString();
        body.expectEnd();
        if (ofStatement) {
            Statement statement = statements.get(name);
            if (statement == null) {
                fail(SqlState.INVALID_SQL_STATEMENT_NAME, "prepared statement \"%s\" does not exist".formatted(name));
                return;
            }
            BackendMessages.parameterDescription(out());
            describe(statement, Formats.TEXT);
        } else {
            Portal portal = portals.get(name);
            if (portal == null) {
                fail(SqlState.INVALID_CURSOR_NAME, "portal \"%s\" does not exist".formatted(name));
                return;
            }
            describe(portal.statement, portal.formats);
        }
    }

    private void describe(Statement statement, Formats formats) {
        List<ShowTable.Column> columns = columns(statement);
        if (columns.isEmpty()) {
            BackendMessages.noData(out());
        } else {
            ResultWriter.rowDescription(out(), columns, formats);
        }
    }

    private static List<ShowTable.Column> columns(Statement statement) {
        Command command = statement.command();
        return command == null || command.table() == null
                ? List.of()
                : command.table().columns();
    }

    private void onExecute(WireReader body) {
        String name = body.readCString();
        int most = body.readInt();
        body.expectEnd();
        Portal portal = portals.get(name);
        if (portal == null) {
            fail(SqlState.INVALID_CURSOR_NAME, "portal \"%s\" does not exist".formatted(name));
            return;
        }
        Command command = portal.statement.command();
        if (command == null) {
            BackendMessages.emptyQueryResponse(out());
        } else if (portal.ran) {
            if (command.table() == null) {
                fail(SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, "portal \"%s\" cannot be run".formatted(name));
            } else {
                fetch(portal, most);
            }
        } else {
            portal.ran = true;
            run(command, answer -> {
                switch (answer) {
                    case Answer.Rows rows -> {
                        portal.rows = rows.rows();
                        fetch(portal, most);
                    }
                    case Answer.Done done -> complete(done);
                    case Answer.Refused refused -> fail(refused.error());
                    case Answer.Silence _ -> {}
                }
            });
        }
    }

    private void fetch(Portal portal, int most) {
        List<ShowTable.Column> columns = columns(portal.statement);
        int left = portal.rows.size() - portal.fetched;
        int count = most <= 0 ? left : Math.min(most, left);
        for (Row row : portal.rows.subList(portal.fetched, portal.fetched + count)) {
            ResultWriter.dataRow(out(), columns, row, portal.formats);
        }
        portal.fetched += count;
        if (most > 0 && count == most) {
            BackendMessages.portalSuspended(out());
        } else {
            BackendMessages.commandComplete(out(), tag(portal.statement.command(), count));
        }
    }

    private static String tag(@Nullable Command command, int rows) {
        return switch (command == null ? Verb.SHOW : command.verb()) {
            case SELECT -> Verb.SELECT.tag() + " " + rows;
            case EXPLAIN_ROUTE -> Verb.EXPLAIN_ROUTE.tag();
            default -> Verb.SHOW.tag();
        };
    }

    private void onClose(WireReader body) {
        boolean ofStatement = isStatement(body);
        String name = body.readCString();
        body.expectEnd();
        if (ofStatement) {
            statements.remove(name);
        } else {
            portals.remove(name);
        }
        BackendMessages.closeComplete(out());
    }

    private static boolean isStatement(WireReader body) {
        byte kind = body.readByte();
        if (kind != 'S' && kind != 'P') {
            throw new ProtocolException("invalid message subtype " + kind);
        }
        return kind == 'S';
    }

    // --- answers ---------------------------------------------------------------------------------------------------

    /** Runs the command; {@code deliver} writes its answer, on this loop, now or later. */
    private void run(Command command, Consumer<Answer> deliver) {
        busy = true;
        canceled = false;
        CompletionStage<Answer> running = console.run(command, user, owner, this);
        var _ = running.whenComplete((answer, failure) -> client.execute(() -> {
            if (gone) {
                return;
            }
            busy = false;
            if (answer == null) {
                LOG.error("event=console_failure command={}", command.verb(), failure);
                deliver.accept(new Answer.Refused(
                        ErrorResponse.error(SqlState.INTERNAL_ERROR, "the command failed; the log says why")));
            } else {
                busy = answer instanceof Answer.Silence; // nothing more is read either
                deliver.accept(answer);
            }
            client.onConsoleAnswered();
        }));
    }

    private void complete(Answer.Done done) {
        if (done.notice() != null) {
            done.notice().writeTo(out());
        }
        BackendMessages.commandComplete(out(), done.tag());
        switch (done.tag()) {
            case Command.BEGIN, Command.START_TRANSACTION -> status = TransactionStatus.IN_TRANSACTION;
            case Command.COMMIT, Command.ROLLBACK -> status = TransactionStatus.IDLE;
            default -> {}
        }
    }

    private void ready() {
        BackendMessages.readyForQuery(out(), status);
    }

    private void fail(SqlState state, String message) {
        fail(ErrorResponse.error(state, message));
    }

    private void fail(ErrorResponse error) {
        error.writeTo(out());
        skipping = true;
    }

    private ByteBuf out() {
        return client.outbox().writer();
    }
}
