-- name: server
-- What the server is, how many connections it allows and how many there are.
SELECT
    current_setting('server_version') AS version,
    pg_postmaster_start_time() AS started_at,
    pg_is_in_recovery() AS is_read_only,
    pg_database_size(current_database()) AS bytes,
    current_setting('max_connections')::integer AS connections_allowed,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections

-- name: connections
-- Connections by role and by what they are doing.
SELECT coalesce(usename, '') AS role, coalesce(state, '') AS state, count(*) AS count
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2

-- name: slow
-- Transactions older than a second, the oldest first, and who keeps them waiting; values are left out of their text.
SELECT
    pid,
    coalesce(usename, '') AS role,
    coalesce(state, '') AS state,
    extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
    pg_blocking_pids(pid) AS waits_for,
    left(regexp_replace(query, '''([^'']|'''')*''', '?', 'g'), 200) AS statement
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '1 second'
ORDER BY xact_start
LIMIT 20

-- name: ledger
-- The migrations that were applied.
SELECT name, checksum FROM schema_migrations ORDER BY name

-- name: end
-- Ends a connection to this database; its transaction is rolled back, and its function connects again.
SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) AS is_ended
FROM pg_stat_activity
WHERE pid = %(pid)s AND datname = current_database() AND pid <> pg_backend_pid()
