-- name: current
-- The version that readers are to read.
SELECT id
FROM contract_versions
WHERE state = 'current'

-- name: counts
-- What became of a version's rows.
SELECT rows_read, rows_loaded, rows_rejected
FROM contract_versions
WHERE id = %(version)s

-- name: rejections
-- What was rejected, in the order of the source.
SELECT line, coalesce(field, ''), coalesce(value, ''), reason
FROM {schema}.rejection
ORDER BY place
LIMIT %(limit)s

-- name: stale
-- Versions whose load nobody goes on with.
SELECT id
FROM contract_versions
WHERE state = 'loading' AND created_at < now() - %(age_s)s * interval '1 second'

-- name: add
-- A new version, to be loaded.
INSERT INTO contract_versions (state, source)
VALUES ('loading', %(source)s)
RETURNING id

-- name: fail
-- Gives up a version that is still being loaded.
UPDATE contract_versions
SET state = 'failed'
WHERE id = %(version)s AND state = 'loading'
RETURNING id

-- name: lock
-- Lets one version be published at a time; readers go on.
LOCK TABLE contract_versions IN SHARE ROW EXCLUSIVE MODE

-- name: retire
-- Makes the current version an old one.
UPDATE contract_versions
SET state = 'old'
WHERE state = 'current'

-- name: publish
-- Makes a version that was loaded the current one.
UPDATE contract_versions
SET state = 'current', became_current_at = clock_timestamp(), rows_read = %(rows_read)s,
    rows_loaded = %(rows_loaded)s, rows_rejected = %(rows_rejected)s
WHERE id = %(version)s AND state = 'loading'
RETURNING id

-- name: outdated
-- Versions older than the one before the current one that still have a schema.
SELECT id
FROM (
    SELECT id, row_number() OVER (ORDER BY became_current_at DESC) AS age
    FROM contract_versions
    WHERE state = 'old'
) AS old
WHERE age > 1 AND to_regnamespace('contracts_v' || id) IS NOT NULL
ORDER BY id

-- name: lock_timeout
-- Has the rest of the transaction give up on locks early.
SELECT set_config('lock_timeout', %(timeout_ms)s::text, true)

-- name: save
-- Marks what a refused statement is taken back to.
SAVEPOINT saved

-- name: restore
-- Takes back what a refused statement did.
ROLLBACK TO saved

-- name: drop
-- Removes all that a version has.
DROP SCHEMA IF EXISTS {schema} CASCADE
