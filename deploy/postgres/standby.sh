#!/usr/bin/env bash
# The entry of a standby: copies the primary where there is no data directory yet, then follows it.
#
# PRIMARY_HOST, PRIMARY_PORT (5432), REPLICATION_PASSWORD; arguments go to postgres.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
    install --directory --owner postgres --group postgres "$(dirname "$PGDATA")"
    exec gosu postgres "$0" "$@"
fi

# Copied beside and renamed when whole, so that a copy cut short is never taken for a data directory.
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    copy=$PGDATA.copy
    until rm -rf "$copy" &&
        PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --pgdata "$copy" --checkpoint fast --write-recovery-conf \
            --dbname "host=$PRIMARY_HOST port=${PRIMARY_PORT:-5432} user=replicator application_name=$(hostname)"; do
        echo "standby: no copy of $PRIMARY_HOST yet, trying again" >&2
        sleep 2
    done
    rm -rf "$PGDATA"
    mv "$copy" "$PGDATA"
fi
exec postgres "$@"
