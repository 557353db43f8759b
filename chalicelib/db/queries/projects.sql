-- name: read
-- Projects that the viewer sees, newest first: one, or a page, with the number of forecasts in each that the viewer
-- sees.
SELECT
    id, name, description, team_size, status, priority, business_value, risk_level, capacity_allocated,
    strategic_importance, start_date, target_end_date, owner, stakeholder, tags, created_at, updated_at,
    (
        SELECT count(*)
        FROM forecasts
        WHERE project_id = projects.id AND (%(sees_all)s OR forecasts.user_id = %(account)s)
    ) AS forecasts_count
FROM projects
WHERE (%(sees_all)s OR user_id = %(account)s)
    AND (%(id)s::bigint IS NULL OR id = %(id)s)
    AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s

-- name: find_owner
-- Whose project it is, if the viewer sees it; nobody else changes it before the transaction ends.
SELECT user_id
FROM projects
WHERE id = %(id)s AND (%(sees_all)s OR user_id = %(account)s)
FOR UPDATE

-- name: add
-- A new project of an account with the table's defaults; no row if there is no such account.
INSERT INTO projects (user_id, name)
SELECT id, %(name)s
FROM users
WHERE id = %(owner)s
FOR KEY SHARE
RETURNING id

-- name: change
-- Sets the fields that a JSON object has and leaves the others.
UPDATE projects
SET (
        name, description, team_size, status, priority, business_value, risk_level, capacity_allocated,
        strategic_importance, start_date, target_end_date, owner, stakeholder, tags, updated_at
    ) = (
        SELECT
            name, description, team_size, status, priority, business_value, risk_level, capacity_allocated,
            strategic_importance, start_date, target_end_date, owner, stakeholder, tags, now()
        FROM jsonb_populate_record(projects, %(changes)s::jsonb)
    )
WHERE id = %(id)s

-- name: remove
-- Removes a project with its forecasts and what came of them.
DELETE FROM projects
WHERE id = %(id)s
