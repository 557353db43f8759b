-- name: read
-- An account's saved searches, newest first: one, or a page; without the secret.
SELECT
    saved_searches.id, saved_searches.name, filters::text AS filters, channel,
    CASE WHEN channel = 'email' THEN email ELSE target END AS target,
    saved_searches.is_active, saved_searches.created_at, saved_searches.updated_at, last_version, last_matches
FROM saved_searches
JOIN users ON users.id = user_id
WHERE user_id = %(account)s
    AND (%(id)s::bigint IS NULL OR saved_searches.id = %(id)s)
    AND (
        %(after_at)s::timestamptz IS NULL
        OR (saved_searches.created_at, saved_searches.id) < (%(after_at)s, %(after_id)s)
    )
ORDER BY saved_searches.created_at DESC, saved_searches.id DESC
LIMIT %(limit)s

-- name: lock_account
-- Has an account save one search at a time, so that what it has can be counted; no row if there is no such account.
SELECT id
FROM users
WHERE id = %(account)s
FOR NO KEY UPDATE

-- name: count
-- How many searches an account has saved, and one that is called the same.
SELECT count(*) AS saved, min(id) FILTER (WHERE name = %(name)s) AS namesake
FROM saved_searches
WHERE user_id = %(account)s AND (%(id)s::bigint IS NULL OR id <> %(id)s)

-- name: lock
-- An account's saved search as it is, until the transaction ends.
SELECT name, filters::text AS filters, canonical::text AS canonical, channel, target, secret, is_active
FROM saved_searches
WHERE id = %(id)s AND user_id = %(account)s
FOR UPDATE

-- name: add
-- Saves a search; what the current version has is not new to it.
INSERT INTO saved_searches (
    user_id, name, filters, canonical, channel, target, secret, is_active, last_version
)
VALUES (
    %(account)s, %(name)s, %(filters)s::jsonb, %(canonical)s::jsonb, %(channel)s, %(target)s, %(secret)s,
    %(is_active)s, coalesce((SELECT id FROM contract_versions WHERE state = 'current'), 0)
)
RETURNING id

-- name: change
-- Sets all fields; a search that asks for something else, or that is switched on again, begins anew.
UPDATE saved_searches
SET name = %(name)s, filters = %(filters)s::jsonb, canonical = %(canonical)s::jsonb, channel = %(channel)s,
    target = %(target)s, secret = %(secret)s, is_active = %(is_active)s, updated_at = now(),
    last_version = CASE
        WHEN canonical = %(canonical)s::jsonb AND is_active >= %(is_active)s::boolean THEN last_version
        ELSE coalesce((SELECT id FROM contract_versions WHERE state = 'current'), 0)
    END,
    last_matches = CASE WHEN canonical = %(canonical)s::jsonb THEN last_matches END
WHERE id = %(id)s

-- name: remove
-- Removes an account's saved search with its alerts.
DELETE FROM saved_searches
WHERE id = %(id)s AND user_id = %(account)s
RETURNING id

-- name: read_alerts
-- The alerts of a saved search, newest first, a page of them.
SELECT id, version, base_version, matches, first_rows::text AS first_rows, created_at, delivery, task_id::text AS task_id
FROM search_alerts
WHERE saved_search_id = %(id)s
    AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s

-- name: read_target
-- Where a saved search's messages go.
SELECT saved_searches.id AS search_id, user_id::text AS owner, saved_searches.name, channel, target, secret, email
FROM saved_searches
JOIN users ON users.id = user_id
WHERE saved_searches.id = %(id)s AND user_id = %(account)s
