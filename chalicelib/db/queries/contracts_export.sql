-- name: version_exists
-- Whether a version is still there.
SELECT to_regnamespace(%(schema)s) IS NOT NULL AS is_there

-- name: exported_awards
-- The rows that fit, in their default order, from behind one of them on.
SELECT
    f.rid, t.contract_number, t.contract_number, t.award_title, t.notice_title, contractor.name, organization.name,
    area.name, category.name, f.amount, f.award_date, 'active'
FROM {schema}.fact AS f
{texts}
WHERE f.rid > %(after)s
    AND {conditions}
ORDER BY f.rid
