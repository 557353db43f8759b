-- name: version_exists
-- Whether a version is still there.
SELECT to_regnamespace(%(schema)s) IS NOT NULL AS is_there

-- name: exported_awards
-- The rows that fit, in their default order, from behind one of them on.
SELECT
    f.rid, t.contract_number, t.contract_number, t.award_title, t.notice_title, contractor.name, organization.name,
    area.name, category.name, f.amount, f.award_date, 'active'
FROM {schema}.fact AS f
JOIN {schema}.title AS t USING (rid)
JOIN {schema}.contractor AS contractor ON contractor.id = f.contractor
LEFT JOIN {schema}.organization AS organization ON organization.id = f.organization
LEFT JOIN {schema}.area AS area ON area.id = f.area
LEFT JOIN {schema}.category AS category ON category.id = f.category
WHERE f.rid > %(after)s
    AND {conditions}
ORDER BY f.rid
