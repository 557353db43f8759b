-- name: waiting
-- Saved searches that have not been told of a version, in the order of their numbers, whose accounts may log in.
SELECT saved_searches.id, filters::text AS filters, last_version
FROM saved_searches
JOIN users ON users.id = user_id
WHERE saved_searches.is_active AND last_version < %(version)s AND saved_searches.id > %(after)s
    AND users.is_active AND access_expires_at > now()
ORDER BY saved_searches.id
LIMIT %(limit)s

-- name: told
-- Notes what a version brought, unless that was noted before or the search was changed since it was read.
UPDATE saved_searches
SET last_version = %(version)s, last_matches = %(matches)s
WHERE id = %(id)s AND is_active AND last_version = %(last_version)s AND filters = %(filters)s::jsonb
RETURNING channel

-- name: add
-- Keeps an alert.
INSERT INTO search_alerts (saved_search_id, version, base_version, matches, first_rows, delivery)
VALUES (%(id)s, %(version)s, %(base_version)s, %(matches)s, %(first_rows)s::jsonb, %(delivery)s)
ON CONFLICT (saved_search_id, version) DO NOTHING

-- name: tidy
-- Removes a search's alerts but the newest ones.
DELETE FROM search_alerts
WHERE saved_search_id = %(id)s AND version <= (
    SELECT version
    FROM search_alerts
    WHERE saved_search_id = %(id)s
    ORDER BY version DESC
    LIMIT 1 OFFSET %(kept)s
)

-- name: due
-- Alerts that no delivery has been handed, oldest first, with where they go.
SELECT
    search_alerts.id, search_alerts.version, base_version, matches, first_rows::text AS first_rows,
    search_alerts.created_at, saved_search_id AS search_id, user_id::text AS owner, saved_searches.name, channel, target, secret, email
FROM search_alerts
JOIN saved_searches ON saved_searches.id = saved_search_id
JOIN users ON users.id = user_id
WHERE delivery = 'due'
ORDER BY search_alerts.id
LIMIT %(limit)s

-- name: handed_on
-- Notes which task delivers an alert, or that none does.
UPDATE search_alerts
SET delivery = CASE WHEN %(task_id)s::uuid IS NULL THEN 'kept' ELSE 'handed_on' END, task_id = %(task_id)s::uuid
WHERE id = %(id)s AND delivery = 'due'
