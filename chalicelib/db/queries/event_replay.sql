-- name: forget_old
-- Forgets replays that nobody goes on with: a job waits for two weeks at most.
DELETE FROM event_replays
WHERE touched_at < now() - interval '15 days'

-- name: begin
-- A replay that begins, unless it has begun already.
INSERT INTO event_replays (job_id, app, plan, stand)
VALUES (%(job_id)s, %(app)s, %(plan)s::jsonb, %(stand)s::jsonb)
ON CONFLICT DO NOTHING

-- name: plan
-- What was settled when it began.
SELECT plan::text AS plan
FROM event_replays
WHERE job_id = %(job_id)s

-- name: size
-- How many events it will look at.
SELECT count(*) AS size
FROM ({looked_at}) AS looked_at

-- name: turn
-- How far it has come; whoever else runs the same job waits.
SELECT stand::text AS stand
FROM event_replays
WHERE job_id = %(job_id)s
FOR UPDATE

-- name: alone
-- Has other replays that change the app's events wait.
SELECT pg_advisory_xact_lock(hashtextextended('replay of app ' || %(app)s::text, 0))

-- name: read
-- The next events, newest first; of those that do not fit no more than that they are there.
SELECT
    id, accepted_at, event_name, status, is_user, rules_version, is_body_kept, is_wanted,
    CASE WHEN is_wanted THEN body::text ELSE '' END AS body,
    CASE WHEN is_wanted THEN results::text ELSE '' END AS results
FROM (
    SELECT *, {fits} AND (NOT %(is_by_result)s OR EXISTS (SELECT FROM {each_result} WHERE {fits_result})) AS is_wanted
    FROM ({looked_at}) AS looked_at
) AS selected
ORDER BY id DESC

-- name: judge
-- Stores what events were judged to be; answers which are still there. Each is looked up by itself.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);
UPDATE log_entries
SET status = given.status,
    is_user = given.is_user,
    rules_version = %(rules_version)s,
    results = given.results::jsonb
FROM unnest(
    %(ids)s::bigint[], %(accepted)s::timestamptz[], %(statuses)s::text[], %(are_users)s::boolean[], %(results)s::text[]
) AS given (id, accepted_at, status, is_user, results)
WHERE log_entries.app = %(app)s
    AND log_entries.id = given.id
    AND log_entries.accepted_at = given.accepted_at
    -- For the planner, that it leaves out other days.
    AND log_entries.accepted_at BETWEEN %(first)s::timestamptz AND %(last)s::timestamptz
RETURNING log_entries.id

-- name: judge_latest
-- Has names of which one of them is the newest event tell the same of it.
UPDATE latest_event
SET status = given.status, is_user = given.is_user
FROM unnest(
    %(ids)s::bigint[], %(accepted)s::timestamptz[], %(names)s::text[], %(statuses)s::text[], %(are_users)s::boolean[]
) AS given (id, accepted_at, event_name, status, is_user)
WHERE latest_event.app = %(app)s
    AND latest_event.event_name = given.event_name COLLATE "C"
    AND latest_event.id = given.id
    AND latest_event.accepted_at = given.accepted_at

-- name: save
-- How far it has come now.
UPDATE event_replays
SET stand = %(stand)s::jsonb, touched_at = now()
WHERE job_id = %(job_id)s
