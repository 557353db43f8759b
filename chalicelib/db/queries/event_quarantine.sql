-- name: groups
-- Faults of the newest invalid events by event, field and kind, with how many there are and one of them; a row without a
-- group tells what was looked at where there are none.
WITH looked_at AS MATERIALIZED (
    SELECT id, accepted_at, event_name, message_id, rules_version, results
    FROM log_entries
    WHERE app = %(app)s
        AND status = 'invalid'
        AND (%(names)s::text[] IS NULL OR event_name = ANY (%(names)s::text[]))
        AND (%(accepted_from)s::timestamptz IS NULL OR accepted_at >= %(accepted_from)s::timestamptz)
        AND (%(accepted_before)s::timestamptz IS NULL OR accepted_at < %(accepted_before)s::timestamptz)
    ORDER BY id DESC
    LIMIT %(most_looked_at)s
), faults AS MATERIALIZED (
    SELECT
        id, accepted_at, event_name COLLATE "C" AS event_name, rules_version, result.place,
        regexp_replace(result.key, '\[\d+\]', '[]', 'g') COLLATE "C" AS field_name,
        result.validation_status COLLATE "C" AS validation_status
    FROM looked_at
    CROSS JOIN LATERAL {each_result}
    WHERE NOT result.validation_status = ANY (%(harmless)s::text[])
        AND {fits_result}
), groups AS (
    SELECT
        event_name, field_name, validation_status, count(*) AS count, count(DISTINCT id) AS events,
        min(accepted_at) AS first_seen, max(accepted_at) AS last_seen, max(id) AS last_id,
        array_agg(DISTINCT rules_version) AS rules_versions
    FROM faults
    GROUP BY event_name, field_name, validation_status
), page AS (
    SELECT *
    FROM groups
    ORDER BY
        CASE WHEN %(by_count)s THEN count END DESC, last_seen DESC, event_name, field_name, validation_status
    LIMIT %(limit)s
    OFFSET %(offset)s
), places AS (
    -- Of the event that was stored last the first fault of the group.
    SELECT event_name, field_name, validation_status, min(place) AS place
    FROM page
    JOIN faults USING (event_name, field_name, validation_status)
    WHERE faults.id = page.last_id
    GROUP BY event_name, field_name, validation_status
)
SELECT
    (SELECT count(*) FROM looked_at) AS looked_at, (SELECT min(accepted_at) FROM looked_at) AS oldest,
    (SELECT count(*) FROM groups) AS total,
    page.event_name, page.field_name, page.validation_status, page.count, page.events, page.first_seen, page.last_seen,
    page.rules_versions, page.last_id AS id, looked_at.message_id,
    looked_at.results -> (places.place - 1)::integer AS sample
FROM (SELECT) AS always
LEFT JOIN (
    page
    JOIN places USING (event_name, field_name, validation_status)
    JOIN looked_at ON looked_at.id = page.last_id
) ON true
ORDER BY
    CASE WHEN %(by_count)s THEN page.count END DESC, page.last_seen DESC, page.event_name, page.field_name,
    page.validation_status
