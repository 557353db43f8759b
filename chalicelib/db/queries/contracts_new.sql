-- name: lock
-- Has one transaction at a time compare a version, until it ends.
SELECT pg_advisory_xact_lock(%(lock)s, %(version)s)

-- name: base
-- The version that another one took the place of, and whether its rows are still there; none before the first one.
SELECT id, to_regnamespace('contracts_v' || id) IS NOT NULL AS is_there
FROM contract_versions
WHERE id < %(version)s AND state = 'old'
ORDER BY id DESC
LIMIT 1

-- name: is_published
-- Whether a version is, or was, the one that readers read, and its rows are there.
SELECT EXISTS (
    SELECT
    FROM contract_versions
    WHERE id = %(version)s AND state IN ('current', 'old') AND to_regnamespace('contracts_v' || id) IS NOT NULL
) AS is_published

-- name: compared
-- Versions whose new rows are listed, oldest first.
SELECT id
FROM contract_versions
WHERE id > %(after)s AND id <= %(version)s AND to_regclass('contracts_v' || id || '.fresh') IS NOT NULL
ORDER BY id

-- name: create
-- The list of the rows that are new in a version. Lists are not packed, as those of words are not.
CREATE TABLE {schema}.fresh (base integer NOT NULL, rids integer[]);
ALTER TABLE {schema}.fresh ALTER COLUMN rids SET STORAGE EXTERNAL

-- name: list_all
-- Says of the first version that all of its rows are new, without a list.
INSERT INTO {schema}.fresh VALUES (0, NULL)

-- name: list_new
-- Lists the rows of a version that the one before did not have, or not as often. Rows are the same where all that the
-- source says of them is; numbers change with every version, so rows are told by 128 bits of hash.
INSERT INTO {schema}.fresh
WITH before AS (
    SELECT a, b, count(*) AS copies
    FROM (
        {old_rows}
    ) AS old_rows
    GROUP BY a, b
), numbered AS (
    SELECT rid, a, b, row_number() OVER (PARTITION BY a, b ORDER BY rid) AS copy
    FROM (
        {new_rows}
    ) AS new_rows
)
SELECT %(base)s::integer, coalesce(array_agg(rid ORDER BY rid), ARRAY[]::integer[])
FROM numbered
LEFT JOIN before USING (a, b)
WHERE copy > coalesce(copies, 0)

-- name: rows
-- The rows of a version with their hashes.
SELECT rid, hashtextextended(said, 0) AS a, hashtextextended(said, 1) AS b
FROM (
    SELECT
        f.rid,
        ROW(
            t.contract_number, f.award_date, f.amount, t.award_title, t.notice_title, contractor.name,
            organization.name, area.name, category.name
        )::text AS said
    FROM {schema}.fact AS f
    JOIN {schema}.title AS t USING (rid)
    JOIN {schema}.contractor AS contractor ON contractor.id = f.contractor
    LEFT JOIN {schema}.organization AS organization ON organization.id = f.organization
    LEFT JOIN {schema}.area AS area ON area.id = f.area
    LEFT JOIN {schema}.category AS category ON category.id = f.category
) AS rows

-- name: find
-- How many of the rows that fit are new, and the numbers of the first ones; all of them to who knows no version.
WITH found AS MATERIALIZED (
    {found}
), fresh AS MATERIALIZED (
    SELECT
        base,
        CASE WHEN %(knows_none)s OR fresh.rids IS NULL THEN found.rids ELSE found.rids & fresh.rids END AS rids
    FROM found, {schema}.fresh AS fresh
)
SELECT
    CASE WHEN %(knows_none)s THEN 0 ELSE base END AS base, cardinality(rids) AS matches, rids[1:%(most)s] AS rids
FROM fresh

-- name: limit_time
-- Has the rest of the transaction give up on statements that take longer.
SELECT set_config('statement_timeout', %(timeout_ms)s::text, true)
