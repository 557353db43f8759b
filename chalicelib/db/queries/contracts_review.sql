-- name: concentration
-- All suppliers of the rows that fit together, and the largest ones each; one row without a supplier where there are none.
WITH groups AS MATERIALIZED (
    SELECT f.contractor AS id, count(*) AS awards, sum(f.amount)::bigint AS total
    FROM {schema}.fact AS f
    WHERE {conditions}
    GROUP BY f.contractor
), whole AS (
    SELECT
        count(*) AS suppliers, coalesce(sum(awards), 0)::bigint AS all_awards,
        coalesce(sum(total), 0)::bigint AS all_total, coalesce(sum(total::numeric * total), 0) AS squares
    FROM groups
), largest AS (
    SELECT id, awards, total
    FROM groups
    ORDER BY total DESC, id
    LIMIT %(most)s
)
SELECT whole.suppliers, whole.all_awards, whole.all_total, whole.squares, named.name AS label, largest.awards, largest.total
FROM whole
LEFT JOIN largest ON true
LEFT JOIN {schema}.contractor AS named USING (id)
ORDER BY largest.total DESC, largest.id

-- name: bunching
-- How many rows lie in each zone of each threshold; one threshold's zones lie behind each other.
SELECT zones.place, width_bucket(f.amount, zones.edges) AS zone, count(*) AS awards
FROM (
    SELECT place::integer, edges
    FROM unnest(%(places)s::integer[], %(edges)s::text[]) AS given (place, text), CAST(text AS bigint[]) AS edges
) AS zones
JOIN {schema}.fact AS f ON f.amount >= zones.edges[1] AND f.amount < zones.edges[6]
WHERE {conditions}
GROUP BY 1, 2
