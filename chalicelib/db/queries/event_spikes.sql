-- name: waits
-- Whether there is anything to count, to judge or to tell.
SELECT
    EXISTS (SELECT FROM event_news)
    OR EXISTS (SELECT FROM event_spikes WHERE delivery = 'due')
    OR EXISTS (
        SELECT FROM apps
        JOIN event_quarters ON event_quarters.app = apps.id
        WHERE spike_alerts
            AND slot >= greatest(%(first)s, (SELECT judged_until FROM event_rollup))
            AND slot < %(beyond)s
            AND status = 'invalid'
    ) AS waits

-- name: candidates
-- Windows with more invalid events than the floor of their app, of which nothing was found yet, the newest first.
SELECT apps.id AS app, slot, sum(count)::bigint AS invalid, spike_factor AS factor, spike_floor AS floor
FROM apps
JOIN event_quarters ON event_quarters.app = apps.id
WHERE spike_alerts
    AND slot >= %(first)s
    AND slot < %(beyond)s
    AND status = 'invalid'
    AND NOT EXISTS (SELECT FROM event_spikes WHERE event_spikes.app = apps.id AND event_spikes.slot = event_quarters.slot)
GROUP BY apps.id, slot
HAVING sum(count) > spike_floor
ORDER BY slot DESC, apps.id

-- name: trailing
-- The windows before one in which there were invalid events.
SELECT sum(count)::bigint AS invalid
FROM event_quarters
WHERE app = %(app)s AND slot >= %(since)s AND slot < %(slot)s AND status = 'invalid'
GROUP BY slot

-- name: add_spike
-- Keeps a spike once, if its app still wants to know of it; it is told unless another one was just before.
INSERT INTO event_spikes (app, slot, invalid, usual, found_at, delivery)
SELECT
    apps.id, %(slot)s, %(invalid)s, %(usual)s, %(now)s,
    CASE
        WHEN EXISTS (
            SELECT FROM event_spikes
            WHERE app = apps.id
                AND delivery <> 'kept'
                AND found_at > %(now)s - make_interval(mins => spike_pause_minutes)
        ) THEN 'kept'
        ELSE 'due'
    END
FROM apps
WHERE apps.id = %(app)s AND spike_alerts
FOR KEY SHARE
ON CONFLICT (app, slot) DO NOTHING
RETURNING delivery

-- name: mark_judged
-- Notes that windows that began before a time were judged.
UPDATE event_rollup
SET judged_until = greatest(judged_until, %(beyond)s)

-- name: due_spikes
-- Spikes that no delivery has been handed, oldest first, with where they are told; nowhere, if nobody wants to know.
SELECT
    event_spikes.id, event_spikes.app, apps.app_id, apps.name AS app_name, slot, invalid, usual, spike_factor AS factor,
    spike_floor AS floor, spike_pause_minutes AS pause_minutes, users.name AS owner_name, users.id::text AS owner,
    CASE WHEN spike_alerts AND users.is_active AND access_expires_at > now() THEN email END AS email,
    (SELECT sum(count) FROM event_quarters AS every WHERE every.app = apps.id AND every.slot = event_spikes.slot)::bigint
        AS total
FROM event_spikes
JOIN apps ON apps.id = event_spikes.app
JOIN users ON users.id = apps.user_id
WHERE delivery = 'due'
ORDER BY event_spikes.id
LIMIT %(limit)s

-- name: top_names
-- The events of a window that were most often invalid.
SELECT event_name AS name, count
FROM event_quarters
WHERE app = %(app)s AND slot = %(slot)s AND status = 'invalid'
ORDER BY count DESC, event_name
LIMIT %(limit)s

-- name: top_fields
-- The fields that made most of a window's newest invalid events so; elements of arrays are one field.
WITH looked_at AS MATERIALIZED (
    SELECT id, results
    FROM log_entries
    WHERE app = %(app)s AND accepted_at >= %(slot)s AND accepted_at < %(beyond)s AND status = 'invalid'
    ORDER BY id DESC
    LIMIT %(most_looked_at)s
)
SELECT regexp_replace(result.key, '\[\d+\]', '[]', 'g') AS name, count(DISTINCT id) AS count
FROM looked_at
CROSS JOIN LATERAL jsonb_to_recordset(results) AS result (key text, "validationStatus" text)
WHERE NOT (result."validationStatus" = ANY (%(harmless)s::text[]))
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT %(limit)s

-- name: told_spike
-- Notes that a spike was handed to a delivery, or that nobody is told.
UPDATE event_spikes
SET delivery = CASE WHEN %(is_told)s THEN 'handed_on' ELSE 'kept' END
WHERE id = %(id)s AND delivery = 'due'
