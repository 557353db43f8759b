-- name: names_of_all
-- Sums by name of the whole data set.
SELECT id, awards, total, first_date, last_date
FROM {schema}.{dimension}

-- name: names_of_year
-- Sums by name of a calendar year.
SELECT id, awards, total
FROM {schema}.entity_year
WHERE kind = {kind} AND year = %(year)s AND id IS NOT NULL

-- name: names_of_rows
-- Sums by name of the rows that fit.
SELECT f.{dimension} AS id, count(*) AS awards, {schema}.total(f.amount) AS total,
    min(f.award_date) AS first_date, max(f.award_date) AS last_date
FROM {schema}.fact AS f
WHERE f.{dimension} IS NOT NULL
    AND {conditions}
GROUP BY f.{dimension}

-- name: name_page
-- How many names there are, and those of a page; behind the last page still the number.
WITH groups AS {kept} (
    {groups}
), page AS (
    SELECT *, {key} AS key
    FROM groups
    WHERE {fits}
    ORDER BY key {direction}, id
    LIMIT %(size)s OFFSET %(skipped)s
)
SELECT counted.names, named.name, page.awards::integer, page.total::bigint, {dates}.first_date, {dates}.last_date
FROM (SELECT count(*) AS names FROM groups WHERE {fits}) AS counted
LEFT JOIN page ON true
LEFT JOIN {schema}.{dimension} AS named USING (id)
{more}
ORDER BY page.key {direction}, id

-- name: dates_of_rows
-- The first and the last day of each name of a page.
LEFT JOIN LATERAL (
    SELECT min(f.award_date) AS first_date, max(f.award_date) AS last_date
    FROM {schema}.fact AS f
    WHERE f.{dimension} = page.id
        AND {conditions}
) AS dates ON true

-- name: has_text
-- The name has the text.
id IN (SELECT id FROM {schema}.{dimension} WHERE folded LIKE %(pattern)s)

-- name: has_word
-- The name is one of those that have the word.
id = ANY(%(names)s::integer[])

-- name: texts
-- Names that may have a word.
SELECT id, folded
FROM {schema}.{dimension}
WHERE folded LIKE %(word)s

-- name: exact
-- A name by itself.
SELECT id, awards
FROM {schema}.{dimension}
WHERE md5(name) = md5(%(name)s) AND name = %(name)s

-- name: entity
-- A name by what stands for it.
SELECT id, name, likeness, awards, total, first_date, last_date
FROM {schema}.{dimension}
WHERE md5(name) = %(entity)s
ORDER BY id
LIMIT 1

-- name: variants
-- Other names that read alike.
SELECT name, awards, total, first_date, last_date, count(*) OVER () AS variants
FROM {schema}.{dimension}
WHERE likeness = %(likeness)s AND id <> %(id)s
ORDER BY awards DESC, id
LIMIT %(most)s

-- name: years_of_name
-- The years of a name.
SELECT year, awards, total
FROM {schema}.entity_year
WHERE kind = {kind} AND id = %(id)s AND year IS NOT NULL
ORDER BY year

-- name: months
-- The months that have awards.
SELECT month, awards
FROM {schema}.month
WHERE month IS NOT NULL
ORDER BY month

-- name: facets
-- The values with the most awards.
{matching}
{tops}

-- name: facet_rows
-- What facets need of the rows that fit.
WITH matching AS MATERIALIZED (
    SELECT f.award_date, f.amount, f.contractor, f.organization, f.area, f.category
    FROM {schema}.fact AS f
    WHERE {conditions}
)

-- name: top_names
-- Names with the most awards.
SELECT {facet} AS facet, top.id, named.name, top.awards::bigint, top.total::bigint
FROM (
    SELECT id, awards, total
    FROM ({groups}) AS groups
    WHERE id IS NOT NULL
    ORDER BY awards DESC, id
    LIMIT %(size)s
) AS top
JOIN {schema}.{dimension} AS named USING (id)

-- name: top_years
-- Years with the most awards.
SELECT {facet} AS facet, top.id, NULL::text AS name, top.awards::bigint, top.total::bigint
FROM (
    SELECT extract(year FROM month)::integer AS id, sum(awards) AS awards, sum(total) AS total
    FROM ({months}) AS months
    WHERE month IS NOT NULL
    GROUP BY 1
    ORDER BY awards DESC, id
    LIMIT %(size)s
) AS top

-- name: is_published
-- Whether a version was ever the current one.
SELECT EXISTS (
    SELECT FROM contract_versions WHERE id = %(version)s AND state IN ('current', 'old')
) AS is_published

-- name: harvest_of_facts
-- How many rows fit, and the numbers of the next ones.
SELECT {total} AS total, ARRAY(
    SELECT f.rid
    FROM {schema}.fact AS f
    WHERE f.rid > %(after)s
        AND {conditions}
    ORDER BY f.rid
    LIMIT %(size)s
) AS rids

-- name: count_of_facts
-- How many rows fit.
(SELECT count(*) FROM {schema}.fact AS f WHERE {conditions})

-- name: harvest_of_list
-- The same from a list; where the next number is or would be in it is where it is once it is in it.
WITH found AS MATERIALIZED (
    {found}
), place AS (
    SELECT idx(rids | ARRAY[%(after)s + 1], %(after)s + 1) AS first
    FROM found
)
SELECT cardinality(rids) AS total, rids[place.first : place.first + %(size)s - 1] AS rids
FROM found, place
