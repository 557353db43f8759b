-- name: latest
-- The newest event of each name, newest first.
SELECT event_name, id, accepted_at, status, is_user
FROM latest_event
WHERE app = %(app)s
ORDER BY accepted_at DESC, id DESC
LIMIT %(most)s

-- name: steady
-- Has all statements of a transaction see the same rows.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: mark
-- What the transaction sees: which others it does, and the last id that was given.
SELECT pg_current_snapshot()::text AS snapshot, coalesce(pg_sequence_last_value('log_entries_id_seq'), 0) AS tip

-- name: looked_at
-- A piece: the events that one answer looks at, found by indexes and bounded; what was not seen is told by transactions.
SELECT id, accepted_at, event_name, message_id, status, is_user, rules_version, is_body_kept, body, results
FROM log_entries
WHERE app = %(app)s
    AND (%(before)s::bigint IS NULL OR id < %(before)s)
    AND (%(names)s::text[] IS NULL OR event_name = ANY (%(names)s::text[]))
    AND (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s::bigint[]))
    AND (%(accepted_from)s::timestamptz IS NULL OR accepted_at >= %(accepted_from)s::timestamptz)
    AND (%(accepted_before)s::timestamptz IS NULL OR accepted_at < %(accepted_before)s::timestamptz)
    AND (%(seen_floor)s::bigint IS NULL OR id > %(seen_floor)s)
    AND (
        %(seen_floor)s::bigint IS NULL
        -- A row has the last 32 bits of the number of its transaction, which is less than the next one's.
        OR %(next)s - ((%(next)s - xmin::text::bigint) & 4294967295) >= %(seen_next)s
        OR %(next)s - ((%(next)s - xmin::text::bigint) & 4294967295) = ANY (%(seen_running)s::bigint[])
    )
ORDER BY id DESC
LIMIT %(most_looked_at)s

-- name: fits
-- A piece: what is wanted of an event itself.
(%(status)s::text IS NULL OR status = %(status)s)
    AND (%(is_user)s::boolean IS NULL OR is_user = %(is_user)s)

-- name: each_result
-- A piece: the results of an event in their order.
ROWS FROM (
    jsonb_to_recordset(results) AS (
        "eventName" text, key text, value text, "expectedType" text, "receivedType" text, "validationStatus" text,
        comment text
    )
) WITH ORDINALITY AS result (
    event, key, value, expected_type, received_type, validation_status, comment, place
)

-- name: fits_result
-- A piece: what is wanted of a result; elements of arrays are found by number and, as rules write them, by [].
(
    %(field_names)s::text[] IS NULL
    OR result.key = ANY (%(field_names)s::text[])
    OR regexp_replace(result.key, '\[\d+\]', '[]', 'g') = ANY (%(field_names)s::text[])
)
    AND (%(validation_statuses)s::text[] IS NULL OR result.validation_status = ANY (%(validation_statuses)s::text[]))
    AND (%(expected_types)s::text[] IS NULL OR result.expected_type = ANY (%(expected_types)s::text[]))
    AND (%(received_types)s::text[] IS NULL OR result.received_type = ANY (%(received_types)s::text[]))
    AND (%(value_search)s::text IS NULL OR strpos(lower(result.value), lower(%(value_search)s)) > 0)

-- name: entries
-- Events that fit, newest first; one fits if one of its results does.
SELECT
    id, event_name, message_id, accepted_at, status, is_user, rules_version, is_body_kept, body::text AS body,
    results::text AS results
FROM ({looked_at}) AS looked_at
WHERE {fits}
    AND (NOT %(is_by_result)s OR EXISTS (SELECT FROM {each_result} WHERE {fits_result}))
ORDER BY id DESC
LIMIT %(limit)s
OFFSET %(offset)s

-- name: total
-- How many events fit, of how many that were looked at, and which of these was the last.
SELECT
    count(*) FILTER (
        WHERE {fits} AND (NOT %(is_by_result)s OR EXISTS (SELECT FROM {each_result} WHERE {fits_result}))
    ) AS fitting,
    count(*) AS looked_at,
    min(id) AS last_id
FROM ({looked_at}) AS looked_at

-- name: reach
-- How many events were looked at, and which was the last.
SELECT count(*) AS looked_at, min(id) AS last_id
FROM ({looked_at}) AS looked_at

-- name: results
-- Results that fit, those of the newest event first, each event's in their order.
SELECT
    looked_at.id, looked_at.accepted_at, result.place::integer AS place, coalesce(result.event, '') AS event,
    coalesce(result.key, '') AS key, coalesce(result.value, '') AS value,
    coalesce(result.expected_type, '') AS expected_type, coalesce(result.received_type, '') AS received_type,
    coalesce(result.validation_status, '') AS validation_status, coalesce(result.comment, '') AS comment
FROM ({looked_at}) AS looked_at
CROSS JOIN LATERAL {each_result}
WHERE {fits}
    AND {fits_result}
    AND (%(after_id)s::bigint IS NULL OR looked_at.id < %(after_id)s OR result.place > %(after_place)s)
ORDER BY looked_at.id DESC, result.place
LIMIT %(limit)s

-- name: find
-- One event.
SELECT
    id, event_name, message_id, accepted_at, status, is_user, rules_version, is_body_kept, body::text AS body,
    results::text AS results
FROM log_entries
WHERE app = %(app)s AND id = %(id)s

-- name: name_of
-- What one event is called.
SELECT event_name
FROM log_entries
WHERE app = %(app)s AND id = %(id)s

-- name: lock_latest
-- Has writers of events of these names, or of any, wait; in the order in which they lock them.
SELECT event_name
FROM latest_event
WHERE app = %(app)s AND (%(names)s::text[] IS NULL OR event_name = ANY (%(names)s::text[]))
ORDER BY event_name COLLATE "default"
FOR UPDATE

-- name: remove
-- Removes one event.
DELETE FROM log_entries
WHERE app = %(app)s AND id = %(id)s
RETURNING id

-- name: tip
-- The last id that was given.
SELECT coalesce(pg_sequence_last_value('log_entries_id_seq'), 0) AS tip

-- name: remove_oldest
-- Removes the oldest events up to an id, so many at most; answers of which names how many.
WITH doomed AS MATERIALIZED (
    SELECT id, accepted_at
    FROM log_entries
    WHERE app = %(app)s AND id <= %(tip)s
    ORDER BY id
    LIMIT %(limit)s
), gone AS (
    DELETE FROM log_entries
    USING doomed
    WHERE log_entries.app = %(app)s
        AND log_entries.id = doomed.id
        AND log_entries.accepted_at = doomed.accepted_at
    RETURNING log_entries.event_name
)
SELECT event_name, count(*) AS removed
FROM gone
GROUP BY event_name

-- name: mend_latest
-- Has names, or all, whose newest event is gone, point to the newest one that there is now.
UPDATE latest_event
SET id = mended.id, accepted_at = mended.accepted_at, status = mended.status, is_user = mended.is_user
FROM (
    SELECT stale.event_name, newest.id, newest.accepted_at, newest.status, newest.is_user
    FROM latest_event AS stale
    CROSS JOIN LATERAL (
        SELECT id, accepted_at, status, is_user
        FROM log_entries
        WHERE app = %(app)s
            AND event_name = stale.event_name COLLATE "default"
            -- The newest by time is not older than the one that was stored last, which an index finds.
            AND accepted_at >= (
                SELECT accepted_at
                FROM log_entries
                WHERE app = %(app)s AND event_name = stale.event_name COLLATE "default"
                ORDER BY id DESC
                LIMIT 1
            )
        ORDER BY accepted_at DESC, id DESC
        LIMIT 1
    ) AS newest
    WHERE stale.app = %(app)s
        AND (%(names)s::text[] IS NULL OR stale.event_name = ANY (%(names)s::text[]))
        AND NOT EXISTS (
            SELECT FROM log_entries
            WHERE app = stale.app AND id = stale.id AND accepted_at = stale.accepted_at
        )
) AS mended
WHERE latest_event.app = %(app)s AND latest_event.event_name = mended.event_name

-- name: forget_latest
-- Forgets names, of these or all, of which there is no event any more.
DELETE FROM latest_event
WHERE app = %(app)s
    AND (%(names)s::text[] IS NULL OR event_name = ANY (%(names)s::text[]))
    AND NOT EXISTS (
        SELECT FROM log_entries
        WHERE app = latest_event.app AND id = latest_event.id AND accepted_at = latest_event.accepted_at
    )
