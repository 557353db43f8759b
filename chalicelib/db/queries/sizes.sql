-- name: database
-- How many bytes the database has.
SELECT pg_database_size(current_database()) AS bytes

-- name: largest_tables
-- The largest tables with their indexes: partitions count as their table, the versions of a data set as one.
SELECT
    CASE nspname WHEN 'public' THEN '' ELSE regexp_replace(nspname, '_v\d+$', '') || '.' END || whole.relname AS name,
    sum(pg_total_relation_size(part.oid))::bigint AS bytes
FROM pg_class AS part
JOIN pg_class AS whole ON whole.oid = coalesce(pg_partition_root(part.oid), part.oid)
JOIN pg_namespace ON pg_namespace.oid = whole.relnamespace
WHERE part.relkind IN ('r', 'm') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
GROUP BY name
ORDER BY bytes DESC NULLS LAST, name
LIMIT %(limit)s
