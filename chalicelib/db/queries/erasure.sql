-- name: find
-- The account with this id or address.
SELECT id::text AS id, email
FROM users
WHERE id::text = %(account)s OR email = lower(%(account)s)

-- name: apps
-- The apps of an account.
SELECT id, app_id, revision FROM apps WHERE user_id = %(id)s ORDER BY id

-- name: count
-- How many rows an account has in each table, and how many of others bear its name.
SELECT
    (SELECT count(*) FROM users WHERE id = %(id)s) AS accounts,
    (SELECT count(*) FROM projects WHERE user_id = %(id)s) AS projects,
    (SELECT count(*) FROM forecasts WHERE user_id = %(id)s) AS forecasts,
    (
        SELECT count(*) FROM actuals JOIN forecasts ON forecasts.id = forecast_id WHERE forecasts.user_id = %(id)s
    ) AS actuals,
    (SELECT count(*) FROM saved_searches WHERE user_id = %(id)s) AS saved_searches,
    (
        SELECT count(*)
        FROM search_alerts JOIN saved_searches ON saved_searches.id = saved_search_id
        WHERE saved_searches.user_id = %(id)s
    ) AS search_alerts,
    (SELECT count(*) FROM apps WHERE user_id = %(id)s) AS apps,
    (SELECT count(*) FROM rule_sheets WHERE app = ANY(%(apps)s)) AS rule_sheets,
    (SELECT count(*) FROM log_entries WHERE app = ANY(%(apps)s)) AS events,
    (SELECT count(*) FROM event_ids WHERE app = ANY(%(apps)s)) AS message_ids,
    (SELECT count(*) FROM one_time_codes WHERE address = %(email)s) AS one_time_codes,
    (SELECT count(*) FROM set_aside WHERE position(%(email)s IN lower(value::text)) > 0) AS set_aside,
    (
        SELECT count(*) FROM forecasts JOIN users ON users.id = %(id)s
        WHERE forecasts.user_id IS DISTINCT FROM users.id AND created_by = left(users.name, 100)
            AND NOT EXISTS (SELECT FROM users AS other WHERE other.name = users.name AND other.id <> users.id)
    ) + (
        SELECT count(*) FROM actuals JOIN forecasts ON forecasts.id = forecast_id JOIN users ON users.id = %(id)s
        WHERE forecasts.user_id IS DISTINCT FROM users.id AND recorded_by = left(users.name, 100)
            AND NOT EXISTS (SELECT FROM users AS other WHERE other.name = users.name AND other.id <> users.id)
    ) AS named_in_work_of_others

-- name: close
-- Has nobody log in to the account any more.
UPDATE users SET is_active = false WHERE id = %(id)s

-- name: remove_events
-- Removes some events of the apps.
DELETE FROM log_entries
USING (SELECT app, id, accepted_at FROM log_entries WHERE app = ANY(%(apps)s) LIMIT %(limit)s) AS batch
WHERE log_entries.app = batch.app AND log_entries.id = batch.id AND log_entries.accepted_at = batch.accepted_at

-- name: remove_ids
-- Removes some ids of their messages.
DELETE FROM event_ids
USING (SELECT app, message_id FROM event_ids WHERE app = ANY(%(apps)s) LIMIT %(limit)s) AS batch
WHERE event_ids.app = batch.app AND event_ids.message_id = batch.message_id

-- name: remove_news
-- Removes what of their events was not counted yet.
DELETE FROM event_news WHERE app = ANY(%(apps)s)

-- name: remove_replays
-- Removes how far their replays have come.
DELETE FROM event_replays WHERE app = ANY(%(apps)s)

-- name: remove_codes
-- Removes the one-time codes of the address.
DELETE FROM one_time_codes WHERE address = %(email)s

-- name: remove_set_aside
-- Removes what a migration has set aside and what has the address in it.
DELETE FROM set_aside WHERE position(%(email)s IN lower(value::text)) > 0

-- name: unname_forecasts
-- Removes the account's name from forecasts of others, unless another account has the same one.
UPDATE forecasts SET created_by = NULL
FROM users
WHERE users.id = %(id)s AND forecasts.user_id IS DISTINCT FROM users.id AND created_by = left(users.name, 100)
    AND NOT EXISTS (SELECT FROM users AS other WHERE other.name = users.name AND other.id <> users.id)

-- name: unname_actuals
-- The same in what came true of them.
UPDATE actuals SET recorded_by = NULL
FROM users, forecasts
WHERE users.id = %(id)s AND forecasts.id = forecast_id AND forecasts.user_id IS DISTINCT FROM users.id
    AND recorded_by = left(users.name, 100)
    AND NOT EXISTS (SELECT FROM users AS other WHERE other.name = users.name AND other.id <> users.id)

-- name: remove
-- Removes the account, and by it its projects, forecasts, actuals, searches, alerts, apps, rules and statistics.
DELETE FROM users WHERE id = %(id)s
