-- name: read
-- Forecasts that the viewer sees and what came of them, the newest first: of each the record of the newest completion,
-- with the parts of its answer that hold its percentiles.
WITH ended AS (
    SELECT DISTINCT ON (forecast_id)
        forecast_id, actual_weeks_taken, notes, recorded_at,
        coalesce(actual_completion_date, (recorded_at AT TIME ZONE 'UTC')::date) AS ended
    FROM actuals
    JOIN forecasts ON forecasts.id = forecast_id
    WHERE actual_weeks_taken IS NOT NULL
        AND (%(sees_all)s OR user_id = %(account)s)
        AND (%(ids)s::bigint[] IS NULL OR forecast_id = ANY(%(ids)s::bigint[]))
        AND (%(project_id)s::bigint IS NULL OR project_id = %(project_id)s)
    ORDER BY forecast_id, actual_completion_date DESC NULLS LAST, recorded_at DESC, actuals.id DESC
), newest AS (
    SELECT *
    FROM ended
    ORDER BY ended DESC, recorded_at DESC, forecast_id DESC
    LIMIT %(limit)s
)
SELECT
    forecast_id, forecasts.name AS forecast_name, project_id, projects.name AS project_name, forecasts.created_at,
    ended, actual_weeks_taken AS actual_weeks, newest.notes, backlog, forecasts.start_date,
    forecasts.projected_weeks_p85,
    jsonb_build_object('throughputCadenceDays', input_data -> 'throughputCadenceDays') AS inputs,
    to_jsonb(told) AS answer
FROM newest
JOIN forecasts ON forecasts.id = forecast_id
JOIN projects ON projects.id = project_id
-- One function, for each one that reads an answer decompresses all of it.
CROSS JOIN LATERAL jsonb_to_record(
    CASE jsonb_typeof(forecast_data) WHEN 'object' THEN forecast_data ELSE '{}' END
) AS told (
    dates jsonb, percentiles jsonb, percentile_stats jsonb, monte_carlo jsonb, projected_weeks_p50 jsonb,
    projected_weeks_p85 jsonb, projected_weeks_p95 jsonb, weeks_p50 jsonb, weeks_p85 jsonb, weeks_p95 jsonb
)
ORDER BY ended DESC, recorded_at DESC, forecast_id DESC
