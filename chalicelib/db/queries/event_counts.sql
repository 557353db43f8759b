-- name: lock_rollup
-- Has whoever else counts, or removes what is outdated, wait until the end of the transaction.
SELECT judged_until
FROM event_rollup
FOR UPDATE

-- name: take_news
-- Takes some of what is not counted yet, which nobody else then counts; answers of how many rows it is.
WITH taken AS (
    DELETE FROM event_news
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM event_news LIMIT %(limit)s))
    RETURNING app, slot, event_name, status, is_user, count
)
SELECT app, slot, event_name, status, is_user, sum(count)::bigint AS count, count(*) AS taken
FROM taken
GROUP BY app, slot, event_name, status, is_user

-- name: lock_apps
-- Those of the apps that are there, and stay until the end of the transaction.
SELECT id
FROM apps
WHERE id = ANY (%(apps)s::bigint[])
ORDER BY id
FOR KEY SHARE

-- name: add_quarters
-- Adds to the quarters of an hour, in the order in which all do.
INSERT INTO event_quarters (app, slot, event_name, status, count)
SELECT app, slot, event_name, status, sum(count)
FROM unnest(
    %(apps)s::bigint[], %(slots)s::timestamptz[], %(names)s::text[], %(statuses)s::text[], %(counts)s::bigint[]
) AS given (app, slot, event_name, status, count)
GROUP BY app, slot, event_name, status
ORDER BY app, slot, event_name, status
ON CONFLICT (app, slot, event_name, status) DO UPDATE
SET count = event_quarters.count + excluded.count

-- name: add_hours
-- Adds to the hours.
INSERT INTO event_hours (app, slot, event_name, status, is_user, count)
SELECT app, date_bin('1 hour', slot, '2000-01-01T00:00:00Z') AS hour, event_name, status, is_user, sum(count)
FROM unnest(
    %(apps)s::bigint[], %(slots)s::timestamptz[], %(names)s::text[], %(statuses)s::text[], %(are_users)s::boolean[],
    %(counts)s::bigint[]
) AS given (app, slot, event_name, status, is_user, count)
GROUP BY app, hour, event_name, status, is_user
ORDER BY app, hour, event_name, status, is_user
ON CONFLICT (app, slot, event_name, status, is_user) DO UPDATE
SET count = event_hours.count + excluded.count

-- name: mark_counted
-- Notes that all is counted that was stored before this transaction.
UPDATE event_rollup
SET counted_until = now()

-- name: remove_quarters
-- Removes quarters of an hour that are outdated.
DELETE FROM event_quarters
WHERE slot < %(before)s

-- name: remove_hours
-- Removes hours that are outdated.
DELETE FROM event_hours
WHERE slot < %(before)s

-- name: remove_spikes
-- Removes spikes that are outdated.
DELETE FROM event_spikes
WHERE slot < %(before)s AND delivery <> 'due'

-- name: steady_counts
-- Has all statements of a transaction see the same counts.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: counted_until
-- What was stored before it is counted: now, where nothing waits.
SELECT CASE WHEN EXISTS (SELECT FROM event_news) THEN counted_until ELSE now() END AS counted_until
FROM event_rollup

-- name: series
-- How many events, by steps of time and statuses.
SELECT date_bin(%(step)s::interval, slot, '2000-01-01T00:00:00Z') AS at, '' AS event_name, status, sum(count)::bigint AS count
FROM event_hours
WHERE app = %(app)s
    AND slot >= %(first)s
    AND slot < %(beyond)s
    AND (%(names)s::text[] IS NULL OR event_name = ANY (%(names)s::text[]))
    AND (%(is_user)s::boolean IS NULL OR is_user = %(is_user)s)
GROUP BY at, status

-- name: most_frequent
-- The names with most events, and how many names there are.
SELECT event_name, count(*) OVER () AS names
FROM event_hours
WHERE app = %(app)s
    AND slot >= %(first)s
    AND slot < %(beyond)s
    AND (%(names)s::text[] IS NULL OR event_name = ANY (%(names)s::text[]))
    AND (%(is_user)s::boolean IS NULL OR is_user = %(is_user)s)
GROUP BY event_name
ORDER BY sum(count) DESC, event_name
LIMIT %(limit)s

-- name: series_of_names
-- How many events of some names, by steps of time, names and statuses.
SELECT date_bin(%(step)s::interval, slot, '2000-01-01T00:00:00Z') AS at, event_name, status, sum(count)::bigint AS count
FROM event_hours
WHERE app = %(app)s
    AND slot >= %(first)s
    AND slot < %(beyond)s
    AND event_name = ANY (%(names)s::text[])
    AND (%(is_user)s::boolean IS NULL OR is_user = %(is_user)s)
GROUP BY at, event_name, status
