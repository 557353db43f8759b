-- name: of_project
-- The throughput and the backlog that each forecast of a project was asked with, newest first.
SELECT
    id,
    backlog,
    coalesce(
        input_data -> 'tpSamples',
        input_data -> 'historicalData',
        input_data -> 'simulationData' -> 'tpSamples',
        input_data -> 'tp_samples',
        input_data -> 'throughput_samples'
    ) AS samples
FROM forecasts
WHERE project_id = %(project_id)s
ORDER BY created_at DESC, id DESC
LIMIT 500
