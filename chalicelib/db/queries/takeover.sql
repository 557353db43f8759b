-- name: present
-- Which of some tables there are.
SELECT name
FROM unnest(%(tables)s) AS name
WHERE to_regclass(name) IS NOT NULL

-- name: lock
-- Lets one migration of an old installation write at a time.
SELECT pg_advisory_xact_lock(%(key)s)

-- name: find
-- The rows with some ids, as JSON.
SELECT id, to_jsonb({table})::text
FROM {table}
WHERE id = ANY(%(ids)s)

-- name: find_addresses
-- Accounts that have the address of one to be added, under another id.
SELECT added.id, users.id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS added (id bigint, email text)
JOIN users ON lower(users.email) = lower(added.email) AND users.id <> added.id
ORDER BY added.id

-- name: add
-- Adds rows under their own ids; JSON's null becomes NULL.
INSERT INTO {table} ({columns})
SELECT {columns}
FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb)

-- name: find_set_aside
-- What was set aside of the rows with some ids.
SELECT source_id, column_name, value::text
FROM set_aside
WHERE source_table = %(table)s AND source_id = ANY(%(ids)s)

-- name: set_aside
-- Sets rows and values aside unless they are; the value is JSON as text, for JSON's null would become NULL.
INSERT INTO set_aside (source_table, source_id, column_name, reason, value)
SELECT source_table, source_id, column_name, reason, value::jsonb
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS added (source_table text, source_id bigint, column_name text, reason text, value text)
ON CONFLICT (source_table, source_id, column_name) DO NOTHING

-- name: advance
-- Has the next row's id be above all that are there, and above all that were given out before.
SELECT setval(
    pg_get_serial_sequence(%(table)s, 'id'),
    greatest(max(id), pg_sequence_last_value(pg_get_serial_sequence(%(table)s, 'id')::regclass), 1)
)
FROM {table}
HAVING count(*) > 0
