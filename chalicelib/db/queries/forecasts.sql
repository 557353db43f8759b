-- name: find_project
-- The project, if it is this account's; it cannot be removed before the transaction ends.
SELECT id
FROM projects
WHERE id = %(project_id)s AND user_id = %(owner)s
FOR KEY SHARE

-- name: find_parent
-- The forecast that a new version renews, if it is this account's; it cannot be removed before the transaction ends.
SELECT id, project_id
FROM forecasts
WHERE id = %(parent_id)s AND user_id = %(owner)s
FOR KEY SHARE

-- name: add
-- Saves a job's forecast unless that was done before, and makes its project unless one is named; one statement, for
-- which foreign keys are looked at when both rows are there. No row: saved before, or the account is gone.
WITH account AS (
    SELECT id, left(name, 100) AS name
    FROM users
    WHERE id = %(owner)s
    FOR KEY SHARE
), added AS (
    INSERT INTO forecasts (
        user_id, project_id, name, forecast_type, forecast_data, input_data, backlog, deadline_date, start_date,
        weeks_to_deadline, projected_weeks_p85, can_meet_deadline, scope_completion_pct, created_by, job_id,
        parent_forecast_id, version
    )
    SELECT
        account.id, coalesce(%(project_id)s, nextval(pg_get_serial_sequence('projects', 'id'))), %(name)s,
        %(forecast_type)s, %(forecast_data)s::jsonb, %(input_data)s::jsonb, %(backlog)s, %(deadline_date)s::date,
        %(start_date)s::date, %(weeks_to_deadline)s, %(projected_weeks_p85)s, %(can_meet_deadline)s,
        %(scope_completion_pct)s, account.name, %(job_id)s, %(parent_forecast_id)s,
        1 + coalesce((SELECT version FROM forecasts WHERE id = %(parent_forecast_id)s), 0)
    FROM account
    ON CONFLICT (job_id) DO NOTHING
    RETURNING id, project_id, user_id
), made AS (
    INSERT INTO projects (id, user_id, name, team_size)
    SELECT project_id, user_id, %(name)s, %(team_size)s
    FROM added
    WHERE %(project_id)s::bigint IS NULL
)
SELECT id FROM added

-- name: find_by_job
-- The forecast that was saved for a job.
SELECT id
FROM forecasts
WHERE job_id = %(job_id)s
