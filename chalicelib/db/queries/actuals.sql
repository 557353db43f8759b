-- name: read
-- What came of forecasts that the viewer sees, newest first: one row, those of a forecast, or a page of all.
SELECT
    actuals.id, forecast_id, actual_completion_date, actual_weeks_taken, actual_items_completed,
    actual_scope_delivered_pct, weeks_error, weeks_error_pct, scope_error_pct, notes, recorded_at, recorded_by
FROM actuals
JOIN forecasts ON forecasts.id = forecast_id
WHERE (%(sees_all)s OR forecasts.user_id = %(account)s)
    AND (%(id)s::bigint IS NULL OR actuals.id = %(id)s)
    AND (%(forecast_id)s::bigint IS NULL OR forecast_id = %(forecast_id)s)
    AND (%(after_at)s::timestamptz IS NULL OR (recorded_at, actuals.id) < (%(after_at)s, %(after_id)s))
ORDER BY recorded_at DESC, actuals.id DESC
LIMIT %(limit)s

-- name: lock_promise
-- What a forecast that the viewer sees has promised; what came of it is changed by nobody else before the transaction
-- ends.
SELECT user_id, start_date, backlog, projected_weeks_p85, scope_completion_pct
FROM forecasts
WHERE id = %(forecast_id)s AND (%(sees_all)s OR user_id = %(account)s)
FOR NO KEY UPDATE

-- name: add
-- Records what came of a forecast, in the account's name unless another is given.
INSERT INTO actuals (
    forecast_id, actual_completion_date, actual_weeks_taken, actual_items_completed, actual_scope_delivered_pct,
    weeks_error, weeks_error_pct, scope_error_pct, notes, recorded_by
)
VALUES (
    %(forecast_id)s, %(actual_completion_date)s, %(actual_weeks_taken)s, %(actual_items_completed)s,
    %(actual_scope_delivered_pct)s, %(weeks_error)s, %(weeks_error_pct)s, %(scope_error_pct)s, %(notes)s,
    coalesce(%(recorded_by)s, (SELECT left(name, 100) FROM users WHERE id = %(account)s))
)
RETURNING id

-- name: change
-- Sets what a row says and all that follows from it, as of now.
UPDATE actuals
SET actual_completion_date = %(actual_completion_date)s,
    actual_weeks_taken = %(actual_weeks_taken)s,
    actual_items_completed = %(actual_items_completed)s,
    actual_scope_delivered_pct = %(actual_scope_delivered_pct)s,
    weeks_error = %(weeks_error)s,
    weeks_error_pct = %(weeks_error_pct)s,
    scope_error_pct = %(scope_error_pct)s,
    notes = %(notes)s,
    recorded_at = now()
WHERE id = %(id)s

-- name: remove
-- Removes one row.
DELETE FROM actuals
WHERE id = %(id)s
