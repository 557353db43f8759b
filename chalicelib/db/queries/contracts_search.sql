-- name: settle
-- Has the rest of the transaction sort and group in memory, and not compile what is done before it would be compiled.
SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)

-- name: take_turn
-- The same, when it is the transaction's turn.
SELECT
    set_config('work_mem', '64MB', true), set_config('jit', 'off', true),
    take_turn(%(gate)s, %(turns)s, %(patience_ms)s)

-- name: rows
-- How many awards there are.
SELECT coalesce(sum(awards), 0)::integer AS awards
FROM {schema}.month

-- name: spans
-- From which row to which the days go, for rows are numbered from the newest to the oldest; nothing for days without rows.
SELECT low.rid AS low, high.rid AS high
FROM unnest(%(first)s::date[], %(last)s::date[]) AS days (first, last),
    LATERAL (
        SELECT rid FROM {schema}.fact WHERE award_date <= days.last ORDER BY award_date DESC, rid LIMIT 1
    ) AS low,
    LATERAL (
        SELECT rid FROM {schema}.fact WHERE award_date >= days.first ORDER BY award_date, rid DESC LIMIT 1
    ) AS high
WHERE low.rid <= high.rid
ORDER BY low.rid

-- name: with_texts
-- All texts of rows `f`: titles `t`, and the names of what they have numbers for.
JOIN {schema}.title AS t USING (rid)
JOIN {schema}.contractor AS contractor ON contractor.id = f.contractor
LEFT JOIN {schema}.organization AS organization ON organization.id = f.organization
LEFT JOIN {schema}.area AS area ON area.id = f.area
LEFT JOIN {schema}.category AS category ON category.id = f.category

-- name: contracts
-- Rows by their numbers, in the order in which these are given.
SELECT
    f.rid AS id, t.contract_number, t.award_title, t.notice_title, f.award_date, contractor.name AS awardee_name,
    organization.name AS organization_name, area.name AS area_of_delivery, category.name AS business_category, f.amount
FROM unnest(%(rids)s::integer[]) WITH ORDINALITY AS wanted (rid, place)
JOIN {schema}.fact AS f USING (rid)
{texts}
ORDER BY wanted.place

-- name: has_name
-- The row has one of the names that fit.
f.{dimension} = ANY({ids}::integer[])

-- name: in_days
-- The row is of the days that are wanted, or between them; what an index by date needs.
f.award_date BETWEEN %(first_day)s AND %(last_day)s

-- name: in_span
-- The row is within a span.
f.rid BETWEEN {low} AND {high}

-- name: at_least
-- The amount is large enough.
f.amount >= %(smallest)s

-- name: at_most
-- The amount is small enough.
f.amount <= %(largest)s

-- name: among
-- The row is one of a list, which is made once.
f.rid = ANY((SELECT rids FROM ({found}) AS found)::integer[])

-- name: any_row
-- Every row.
true

-- name: no_row
-- No row.
false

-- name: no_rows
-- An empty list.
ARRAY[]::integer[]

-- name: found_by_facts
-- The numbers of the rows that fit, in order.
SELECT coalesce(sort(array_agg(f.rid)), ARRAY[]::integer[]) AS rids
FROM {schema}.fact AS f
WHERE {conditions}

-- name: found_by_words
-- The numbers of the rows that have the keywords, in order.
SELECT {keywords} AS rids

-- name: found_by_both
-- The same of rows that fit.
SELECT {keywords} AS rids
FROM ({facts}) AS within

-- name: found_in_spans
-- The same within spans.
WITH every AS MATERIALIZED (
    {words}
)
SELECT {slices} AS rids
FROM every

-- name: within
-- Of rows that fit, whose list is at hand.
within.rids

-- name: slice
-- The part of a list within a span: where its ends are or would be in the list is where they are once they are in it.
every.rids[
    idx(every.rids | ARRAY[{low}], {low}) : idx(every.rids | ARRAY[{beyond}], {beyond}) - 1
]

-- name: page
-- How many rows fit, and the numbers of those of a page.
WITH found AS MATERIALIZED (
    {found}
)
SELECT cardinality(rids) AS total, rids[%(skipped)s + 1:%(skipped)s + %(size)s] AS rids
FROM found

-- name: ordered_page
-- The same in another order.
WITH matching AS (
    SELECT f.rid, {key} AS key
    FROM {schema}.fact AS f
    {titles}
    WHERE {conditions}
)
SELECT
    {total} AS total,
    ARRAY(SELECT rid FROM matching ORDER BY key {direction}, rid LIMIT %(size)s OFFSET %(skipped)s) AS rids

-- name: headed_page
-- The same of rows that are listed, by an index: among the first rows of the whole order, so many that three times a page is to
-- be expected, are those that fit, and all others that fit come later. Only where they are too few, or would be more than the
-- list has, is the order looked up of each row that fits.
WITH found AS MATERIALIZED (
    {found}
), sizes AS MATERIALIZED (
    SELECT
        cardinality(rids) AS total,
        3 * (%(skipped)s + %(size)s)::bigint * %(rows)s / greatest(cardinality(rids), 1) + 500 AS length
    FROM found
), head AS MATERIALIZED (
    SELECT f.rid, {key} AS key
    FROM {schema}.fact AS f
    ORDER BY {key} {direction}, f.rid
    LIMIT (SELECT CASE WHEN length < total THEN length ELSE 0 END FROM sizes)
), first AS MATERIALIZED (
    SELECT rid, head.key
    FROM (
        SELECT unnest(rids & (SELECT coalesce(array_agg(rid), ARRAY[]::integer[]) FROM head)) AS rid
        FROM found
    ) AS listed
    JOIN head USING (rid)
)
SELECT
    total,
    CASE
        WHEN (SELECT count(*) FROM first) >= %(skipped)s::bigint + %(size)s
            THEN ARRAY(SELECT rid FROM first ORDER BY key {direction}, rid LIMIT %(size)s OFFSET %(skipped)s)
        ELSE ARRAY(
            SELECT f.rid
            FROM {schema}.fact AS f
            WHERE f.rid = ANY((SELECT rids FROM found)::integer[])
            ORDER BY {key} {direction}, f.rid
            LIMIT %(size)s OFFSET %(skipped)s
        )
    END AS rids
FROM sizes

-- name: titles
-- The texts of the rows.
JOIN {schema}.title AS t USING (rid)

-- name: count
-- How many rows fit.
(SELECT count(*) FROM matching)

-- name: known_count
-- The same where it was known before.
%(total)s

-- name: matching
-- What charts need of the rows that fit.
matching AS MATERIALIZED (
    SELECT f.award_date, f.amount, f.contractor, f.organization, f.area, f.category
    FROM {schema}.fact AS f
    WHERE {conditions}
),

-- name: places
-- Sums by area and category together: both have few names, so that the rows need be passed over once for both.
places AS MATERIALIZED (
    SELECT area, category, count(*) AS awards, {schema}.total(amount) AS total
    FROM matching
    GROUP BY area, category
),

-- name: summed_word
-- A word whose sums are kept, if enough of them are.
SELECT id
FROM {schema}.summed
WHERE token = %(word)s AND names >= %(most)s

-- name: months_of_rows
-- Sums by month, from those by day, of which there are few.
SELECT date_trunc('month', award_date::timestamp)::date AS month, sum(awards) AS awards, sum(total) AS total
FROM (
    SELECT award_date, count(*) AS awards, {schema}.total(amount) AS total
    FROM matching
    GROUP BY award_date
) AS days
GROUP BY 1

-- name: months_of_word
-- Sums by month of the rows with a word.
SELECT month, awards, total
FROM {schema}.summed_month
WHERE word = %(word)s

-- name: months_of_all
-- Sums by month of the whole data set.
SELECT month, awards, total
FROM {schema}.month

-- name: months_of_year
-- Sums by month of a whole year.
SELECT month, awards, total
FROM {schema}.month
WHERE extract(year FROM month)::integer = %(year)s

-- name: months_of_years
-- Sums by month of whole years.
SELECT month, awards, total
FROM {schema}.month
WHERE extract(year FROM month)::integer = ANY(%(years)s::integer[])

-- name: groups_of_rows
-- Sums by name.
SELECT {dimension} AS id, count(*) AS awards, {schema}.total(amount) AS total
FROM matching
GROUP BY {dimension}

-- name: groups_of_places
-- Sums by name from those by two names.
SELECT {dimension} AS id, sum(awards) AS awards, {schema}.total(total) AS total
FROM places
GROUP BY {dimension}

-- name: groups_of_word
-- Sums by name of the rows with a word, as many as were kept.
SELECT id, awards, total
FROM {schema}.summed_name
WHERE word = %(word)s AND kind = {kind}

-- name: groups_of_all
-- Sums by name of the whole data set, names alone.
SELECT id, awards, total
FROM {schema}.{dimension}

-- name: groups_of_year
-- Sums by name of a whole year.
SELECT id, awards, total
FROM {schema}.entity_year
WHERE kind = {kind} AND year = %(year)s

-- name: groups_of_years
-- Sums by name of whole years.
SELECT id, sum(awards) AS awards, sum(total) AS total
FROM {schema}.entity_year
WHERE kind = {kind} AND year = ANY(%(years)s::smallint[])
GROUP BY id

-- name: groups_with_blank
-- Sums by name of the whole data set, and of the rows without a name.
{groups}
UNION ALL
SELECT NULL, sum(awards)::bigint, sum(total)::bigint
FROM {schema}.entity_year
WHERE kind = {kind} AND id IS NULL
HAVING count(*) > 0

-- name: series
-- What charts show: sums by month, and by the names with the largest sums.
WITH {matching} {places} months AS (
    {months}
)
SELECT 'month' AS series, month, NULL::integer AS id, NULL::text AS label, awards::bigint, total::bigint
FROM months
UNION ALL
{largest}

-- name: largest
-- The names with the largest sums.
SELECT {series}, NULL::date, id, named.name, largest.awards::bigint, largest.total::bigint
FROM (
    SELECT id, awards, total
    FROM ({groups}) AS groups
    WHERE id IS NOT NULL
    ORDER BY total DESC, id
    LIMIT %(most)s
) AS largest
JOIN {schema}.{dimension} AS named USING (id)

-- name: table
-- How many groups there are, and those of a page; behind the last page still the number.
WITH {matching} groups AS MATERIALIZED (
    SELECT id, awards, total, {key} AS key
    FROM ({groups}) AS groups
), page AS (
    SELECT id, awards, total, key
    FROM groups
    ORDER BY key {direction}, id
    LIMIT %(size)s OFFSET %(skipped)s
)
SELECT counted.groups, named.name AS label, page.awards::bigint, page.total::bigint
FROM (SELECT count(*) AS groups FROM groups) AS counted
LEFT JOIN page ON true
LEFT JOIN {schema}.{dimension} AS named USING (id)
ORDER BY page.key {direction}, page.id

-- name: first_digits
-- How often whole pesos begin with each digit; less than one peso has none.
SELECT left((f.amount / 100)::text, 1)::integer AS digit, count(*) AS awards
FROM {schema}.fact AS f
WHERE f.amount >= 100
    AND {conditions}
GROUP BY 1

-- name: roundness
-- Amounts by the largest step in pesos that divides them, by the last digit of whole pesos and by the zeros these end in.
SELECT step, digit, zeros, count(*) AS awards, sum(amount)::bigint AS total
FROM (
    SELECT
        f.amount,
        CASE
            WHEN mod(f.amount, 1000000000) = 0 THEN 10000000
            WHEN mod(f.amount, 100000000) = 0 THEN 1000000
            WHEN mod(f.amount, 10000000) = 0 THEN 100000
            WHEN mod(f.amount, 1000000) = 0 THEN 10000
            WHEN mod(f.amount, 100000) = 0 THEN 1000
            ELSE 0
        END AS step,
        mod(f.amount / 100, 10)::integer AS digit,
        length((f.amount / 100)::text) - length(rtrim((f.amount / 100)::text, '0')) AS zeros
    FROM {schema}.fact AS f
    WHERE {conditions}
) AS amounts
GROUP BY step, digit, zeros

-- name: bins
-- Amounts in bins of equal width, numbered from 1; the last one has the largest amount too, the first one equal amounts.
WITH matching AS MATERIALIZED (
    SELECT f.amount
    FROM {schema}.fact AS f
    WHERE {conditions}
), bounds AS (
    SELECT min(amount) AS low, max(amount) AS high
    FROM matching
)
SELECT
    low, high,
    least(coalesce(div((amount - low)::numeric * %(bins)s, nullif(high - low, 0)), 0) + 1, %(bins)s)::integer AS bin,
    count(*) AS awards,
    sum(amount)::bigint AS total
FROM matching, bounds
GROUP BY 1, 2, 3
ORDER BY 3
