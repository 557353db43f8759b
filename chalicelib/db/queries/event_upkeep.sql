-- name: partitions
-- The partitions of days.
SELECT relname AS name
FROM pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'log_entries'::regclass AND relname ~ '^log_entries_\d{8}$'
ORDER BY relname

-- name: has_rows
-- Whether events of a day are in the partition for days without one.
SELECT EXISTS (
    SELECT FROM log_entries_other WHERE accepted_at >= %(first)s AND accepted_at < %(beyond)s
) AS has_rows

-- name: make_partition
-- A table for a day, which nobody can see yet.
CREATE TABLE {name} (LIKE log_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)

-- name: move_rows
-- Moves the day's events into it.
WITH moved AS (
    DELETE FROM log_entries_other
    WHERE accepted_at >= %(first)s AND accepted_at < %(beyond)s
    RETURNING *
)
INSERT INTO {name}
SELECT *
FROM moved

-- name: attach_partition
-- Has it take the events of the day.
ALTER TABLE log_entries ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({beyond})

-- name: drop_partition
-- Removes a day.
DROP TABLE {name}

-- name: remove_strays
-- Removes outdated events from the partition for days without one.
DELETE FROM log_entries_other
WHERE accepted_at < %(before)s

-- name: remove_ids
-- Forgets some messages whose events are outdated; answers how many.
WITH outdated AS (
    SELECT app, message_id
    FROM event_ids
    WHERE accepted_at < %(before)s
    LIMIT %(limit)s
)
DELETE FROM event_ids
USING outdated
WHERE event_ids.app = outdated.app AND event_ids.message_id = outdated.message_id

-- name: remove_latest
-- Forgets the newest events of names of which none is left.
DELETE FROM latest_event
WHERE accepted_at < %(before)s

-- name: apps
-- Some apps in the order of their numbers.
SELECT *
FROM apps
WHERE id > %(after)s
ORDER BY id
LIMIT %(limit)s
