-- name: read
-- Forecasts that the viewer sees, newest first: those with some ids, of a project, or a page of all; with the answer
-- and the request as JSON where they are wanted.
SELECT
    forecasts.id, project_id, projects.name AS project_name, forecasts.name, forecasts.description, forecast_type,
    backlog, deadline_date, forecasts.start_date, weeks_to_deadline, projected_weeks_p85, can_meet_deadline,
    scope_completion_pct, forecasts.created_at, created_by, version, parent_forecast_id,
    CASE WHEN %(with_data)s THEN forecast_data::text END AS forecast_data,
    CASE WHEN %(with_data)s THEN input_data::text END AS input_data
FROM forecasts
JOIN projects ON projects.id = project_id
WHERE (%(sees_all)s OR forecasts.user_id = %(account)s)
    AND (%(ids)s::bigint[] IS NULL OR forecasts.id = ANY(%(ids)s::bigint[]))
    AND (%(project_id)s::bigint IS NULL OR project_id = %(project_id)s)
    AND (%(after_at)s::timestamptz IS NULL OR (forecasts.created_at, forecasts.id) < (%(after_at)s, %(after_id)s))
ORDER BY forecasts.created_at DESC, forecasts.id DESC
LIMIT %(limit)s

-- name: find_chain
-- The ids of all versions of a forecast that the viewer sees: from it up to the first one, and all that were made from
-- that.
WITH RECURSIVE older AS (
    SELECT id, parent_forecast_id
    FROM forecasts
    WHERE id = %(id)s AND (%(sees_all)s OR user_id = %(account)s)
    UNION
    SELECT forecasts.id, forecasts.parent_forecast_id
    FROM forecasts
    JOIN older ON forecasts.id = older.parent_forecast_id
), chain AS (
    SELECT id
    FROM older
    UNION
    SELECT forecasts.id
    FROM forecasts
    JOIN chain ON forecasts.parent_forecast_id = chain.id
)
SELECT id
FROM chain

-- name: find_owner
-- Whose forecast it is, its project and its version, if the viewer sees it; nobody else changes it before the
-- transaction ends.
SELECT user_id, project_id, version
FROM forecasts
WHERE id = %(id)s AND (%(sees_all)s OR user_id = %(account)s)
FOR UPDATE

-- name: add
-- Saves a forecast; who made it is the account's name.
INSERT INTO forecasts (
    user_id, project_id, name, description, forecast_type, forecast_data, input_data, backlog, deadline_date,
    start_date, weeks_to_deadline, projected_weeks_p85, can_meet_deadline, scope_completion_pct, created_by, version,
    parent_forecast_id
)
VALUES (
    %(owner)s, %(project_id)s, %(name)s, %(description)s, %(forecast_type)s, %(forecast_data)s::jsonb,
    %(input_data)s::jsonb, %(backlog)s, %(deadline_date)s, %(start_date)s, %(weeks_to_deadline)s,
    %(projected_weeks_p85)s, %(can_meet_deadline)s, %(scope_completion_pct)s,
    (SELECT left(name, 100) FROM users WHERE id = %(account)s), %(version)s, %(parent_id)s
)
RETURNING id

-- name: relink
-- Has the versions that were made from a forecast follow the one that it was made from.
UPDATE forecasts
SET parent_forecast_id = removed.parent_forecast_id
FROM forecasts AS removed
WHERE removed.id = %(id)s AND forecasts.parent_forecast_id = removed.id

-- name: remove
-- Removes a forecast with what came of it.
DELETE FROM forecasts
WHERE id = %(id)s
