#!/usr/bin/env bash
# Runs once on the primary, when its data directory is new: the roles, the database, and who may replicate.
#
# APP_PASSWORD, MONITOR_PASSWORD, REPLICATION_PASSWORD
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set app="$APP_PASSWORD" --set monitor="$MONITOR_PASSWORD" --set replication="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE app LOGIN PASSWORD :'app';
CREATE ROLE monitor LOGIN PASSWORD :'monitor' IN ROLE pg_monitor;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replication';
CREATE DATABASE app OWNER app;
SQL

echo 'host replication replicator all scram-sha-256' >>"$PGDATA/pg_hba.conf"
