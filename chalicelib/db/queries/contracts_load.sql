-- name: create
-- What a version has, and what its load needs until it is published; the latter does without the journal of writes.
-- `total` sums without numbers of any size, which take twice as long: more than a bigint holds is refused at load.
CREATE SCHEMA {schema};
CREATE TABLE {schema}.contractor (
    id integer, name text COLLATE "C" NOT NULL, folded text COLLATE "C" NOT NULL, likeness text COLLATE "C" NOT NULL,
    awards integer NOT NULL, total bigint NOT NULL, first_date date, last_date date
);
CREATE TABLE {schema}.organization (LIKE {schema}.contractor);
CREATE TABLE {schema}.area (LIKE {schema}.contractor);
CREATE TABLE {schema}.category (LIKE {schema}.contractor);
CREATE TABLE {schema}.fact (
    rid integer, award_date date, amount bigint NOT NULL,
    contractor integer NOT NULL, organization integer, area integer, category integer
);
CREATE TABLE {schema}.title (
    rid integer, contract_number text, award_title text, notice_title text, search_text text NOT NULL
);
CREATE TABLE {schema}.word (
    token text COLLATE "C", df integer NOT NULL, is_common boolean NOT NULL, rids integer[] NOT NULL
);
ALTER TABLE {schema}.word ALTER COLUMN rids SET STORAGE EXTERNAL;
CREATE TABLE {schema}.gram (
    token text COLLATE "C", df integer NOT NULL, is_common boolean NOT NULL, rids integer[] NOT NULL
);
ALTER TABLE {schema}.gram ALTER COLUMN rids SET STORAGE EXTERNAL;
CREATE TABLE {schema}.summed (id integer, token text COLLATE "C" NOT NULL, names integer NOT NULL);
CREATE TABLE {schema}.summed_month (word integer NOT NULL, month date, awards integer NOT NULL, total bigint NOT NULL);
CREATE TABLE {schema}.summed_name (
    word integer NOT NULL, kind smallint NOT NULL, id integer NOT NULL, awards integer NOT NULL, total bigint NOT NULL
);
CREATE TABLE {schema}.month (month date, awards integer NOT NULL, total bigint NOT NULL);
CREATE TABLE {schema}.entity_year (
    kind smallint NOT NULL, id integer, year smallint, awards integer NOT NULL, total bigint NOT NULL
);
CREATE TABLE {schema}.rejection (place bigint NOT NULL, line bigint NOT NULL, field text, value text, reason text);
CREATE UNLOGGED TABLE {schema}.stage (
    place bigint NOT NULL, contract_number text, award_date date, award_title text, notice_title text,
    amount bigint NOT NULL, contractor text COLLATE "C" NOT NULL, organization text COLLATE "C",
    area text COLLATE "C", category text COLLATE "C", search_text text NOT NULL
);
CREATE UNLOGGED TABLE {schema}.name (
    name text COLLATE "C" NOT NULL, folded text COLLATE "C" NOT NULL, likeness text COLLATE "C" NOT NULL
);
CREATE UNLOGGED TABLE {schema}.mention (
    place bigint NOT NULL, key uuid NOT NULL, line bigint NOT NULL, rank bigint NOT NULL
);
CREATE UNLOGGED TABLE {schema}.placing (place bigint NOT NULL, rid integer NOT NULL);
CREATE UNLOGGED TABLE {schema}.word_part (
    token text COLLATE "C" NOT NULL, part integer NOT NULL, df integer NOT NULL, rids integer[] NOT NULL
);
ALTER TABLE {schema}.word_part ALTER COLUMN rids SET STORAGE EXTERNAL;
CREATE UNLOGGED TABLE {schema}.common_gram (token text COLLATE "C" NOT NULL);
CREATE AGGREGATE {schema}.total (bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);
CREATE AGGREGATE {schema}.joined (integer[]) (SFUNC = array_cat, STYPE = integer[]);
CREATE UNLOGGED TABLE {schema}.load (
    phase text NOT NULL, part integer NOT NULL, rows_read bigint NOT NULL, byte bigint NOT NULL, lines bigint NOT NULL
);
INSERT INTO {schema}.load VALUES ('stage', 0, 0, 0, 0)

-- name: lock_state
-- How far a load has come; until the transaction's end nobody else takes it further.
LOCK TABLE {schema}.load IN ACCESS EXCLUSIVE MODE;
SELECT phase, part, rows_read, byte, lines
FROM {schema}.load

-- name: keep_state
-- Keeps how far a load has come.
UPDATE {schema}.load
SET phase = %(phase)s, part = %(part)s, rows_read = %(rows_read)s, byte = %(byte)s, lines = %(lines)s

-- name: copy_awards
-- Takes staged rows from the client.
COPY {schema}.stage FROM STDIN WITH (FORMAT csv)

-- name: copy_rejections
-- Takes rejected rows from the client.
COPY {schema}.rejection FROM STDIN WITH (FORMAT csv)

-- name: copy_mentions
-- Takes from the client what names the awards that may be told of more than once.
COPY {schema}.mention FROM STDIN WITH (FORMAT csv)

-- name: reject_told_again
-- Of the rows that tell of the same award keeps the one with the highest rank, of equals the last.
ANALYZE {schema}.mention;
WITH mentions AS (
    SELECT place, line, first_value(line) OVER ranked AS counted_line, row_number() OVER ranked AS number
    FROM {schema}.mention
    WINDOW ranked AS (PARTITION BY key ORDER BY rank DESC, place DESC)
), removed AS (
    DELETE FROM {schema}.stage AS stage
    USING mentions
    WHERE mentions.number > 1 AND mentions.place = stage.place
    RETURNING stage.place, line, contract_number, counted_line
)
INSERT INTO {schema}.rejection
SELECT place, line, '', left(contract_number, 100), format(%(reason)s, counted_line)
FROM removed

-- name: is_staged
-- Whether there is a row to be loaded.
SELECT EXISTS (SELECT FROM {schema}.stage) AS is_staged

-- name: analyze_stage
-- Has the planner know the rows.
ANALYZE {schema}.stage

-- name: read_names
-- The different names of a dimension.
SELECT DISTINCT {dimension}
FROM {schema}.stage
WHERE {dimension} IS NOT NULL

-- name: copy_names
-- Takes names, their folded forms and what they share with names that read alike from the client.
COPY {schema}.name FROM STDIN WITH (FORMAT csv)

-- name: fill_dimension
-- Numbers names in their order and sums what they stand for.
INSERT INTO {schema}.{dimension}
SELECT row_number() OVER (ORDER BY folded, name), name, folded, likeness, awards, total, first_date, last_date
FROM {schema}.name
JOIN (
    SELECT {dimension} AS name, count(*) AS awards, sum(amount) AS total,
        min(award_date) AS first_date, max(award_date) AS last_date
    FROM {schema}.stage
    GROUP BY {dimension}
) AS sums USING (name)
ORDER BY folded, name;
ALTER TABLE {schema}.{dimension} ADD PRIMARY KEY (id);
ANALYZE {schema}.{dimension};
TRUNCATE {schema}.name

-- name: place_rows
-- Numbers the rows in their default order: newest first, then largest, then as in the source.
INSERT INTO {schema}.placing
SELECT place, row_number() OVER (ORDER BY award_date DESC NULLS LAST, amount DESC, place)
FROM {schema}.stage;
ANALYZE {schema}.placing

-- name: fill_facts
-- The rows with numbers in place of names.
INSERT INTO {schema}.fact
SELECT rid, award_date, amount, contractor.id, organization.id, area.id, category.id
FROM {schema}.stage AS stage
JOIN {schema}.placing USING (place)
JOIN {schema}.contractor AS contractor ON contractor.name = stage.contractor
LEFT JOIN {schema}.organization AS organization ON organization.name = stage.organization
LEFT JOIN {schema}.area AS area ON area.name = stage.area
LEFT JOIN {schema}.category AS category ON category.name = stage.category
ORDER BY rid;
ALTER TABLE {schema}.fact ADD PRIMARY KEY (rid) INCLUDE (award_date, amount, contractor, organization, area, category)
    WITH (fillfactor = 100)

-- name: fill_titles
-- The rows' texts.
INSERT INTO {schema}.title
SELECT rid, contract_number, award_title, notice_title, search_text
FROM {schema}.stage
JOIN {schema}.placing USING (place)
ORDER BY rid;
ALTER TABLE {schema}.title ADD PRIMARY KEY (rid)

-- name: read_titles
-- What a range of rows is found by, in order.
SELECT rid, search_text
FROM {schema}.title
WHERE rid > %(after)s AND rid <= %(last)s
ORDER BY rid

-- name: copy_words
-- Takes the words of a range of rows from the client.
COPY {schema}.word_part FROM STDIN WITH (FORMAT csv)

-- name: fill_words
-- Joins the ranges, and names the words whose sums are to be kept. Eight common words fit into the key of an index.
INSERT INTO {schema}.word
SELECT
    token, sum(df), sum(df) >= %(common_rows)s AND length(token) <= %(common_letters)s,
    {schema}.joined(rids ORDER BY part)
FROM {schema}.word_part
GROUP BY token
ORDER BY token;
ALTER TABLE {schema}.word ADD PRIMARY KEY (token) INCLUDE (df, is_common);
TRUNCATE {schema}.word_part;
INSERT INTO {schema}.summed
SELECT row_number() OVER (ORDER BY token), token, %(summed_names)s
FROM {schema}.word
WHERE df >= %(summed_rows)s;
ALTER TABLE {schema}.summed ADD PRIMARY KEY (id)

-- name: common_words
-- The words whose n-grams are listed.
SELECT token
FROM {schema}.word
WHERE is_common

-- name: last_row
-- The highest number of a row.
SELECT max(rid) AS rid
FROM {schema}.title

-- name: sample_titles
-- What some rows are found by, blocks of them from all over the version.
SELECT search_text
FROM generate_series(1, %(last)s, %(gap)s) AS block (first)
JOIN {schema}.title AS t ON t.rid >= block.first AND t.rid < block.first + %(block_rows)s

-- name: copy_common_grams
-- Takes the n-grams that are common from the client.
COPY {schema}.common_gram FROM STDIN WITH (FORMAT csv)

-- name: common_grams
-- The n-grams that are common.
SELECT token
FROM {schema}.common_gram

-- name: fill_grams
-- Joins the ranges in the same way.
INSERT INTO {schema}.gram
SELECT
    token, sum(df), token IN (SELECT common_gram.token FROM {schema}.common_gram),
    {schema}.joined(rids ORDER BY part)
FROM {schema}.word_part
GROUP BY token
ORDER BY token;
ALTER TABLE {schema}.gram ADD PRIMARY KEY (token) INCLUDE (df, is_common)

-- name: summed_words
-- One of so many shares of the words whose sums are kept.
SELECT id, token
FROM {schema}.summed
WHERE mod(id, %(shares)s) = %(share)s

-- name: fill_sums
-- Sums of the rows that have a text in any of their words: by month, and by the names with the largest ones.
WITH found AS MATERIALIZED (
    SELECT (SELECT rids FROM {schema}.word WHERE token = %(token)s) | coalesce(
        (
            SELECT array_agg(rid)
            FROM {schema}.word, unnest(rids) AS rid
            WHERE strpos(token, %(token)s) > 0 AND token <> %(token)s
        ),
        ARRAY[]::integer[]
    ) AS rids
), matching AS MATERIALIZED (
    SELECT f.award_date, f.amount, f.contractor, f.organization, f.area, f.category
    FROM {schema}.fact AS f
    WHERE f.rid = ANY((SELECT rids FROM found)::integer[])
), months AS (
    INSERT INTO {schema}.summed_month
    SELECT %(id)s, date_trunc('month', award_date::timestamp)::date AS month, sum(awards), sum(total)
    FROM (
        SELECT award_date, count(*) AS awards, {schema}.total(amount) AS total
        FROM matching
        GROUP BY award_date
    ) AS days
    GROUP BY month
)
INSERT INTO {schema}.summed_name
{largest}

-- name: largest_sums
-- The names of a dimension with the largest sums.
(
    SELECT %(id)s, {kind}, {dimension}, count(*), {schema}.total(amount) AS total
    FROM matching
    WHERE {dimension} IS NOT NULL
    GROUP BY {dimension}
    ORDER BY total DESC, {dimension}
    LIMIT %(names)s
)

-- name: index_sums
-- Finds a word by its text, and its sums by its number.
CREATE UNIQUE INDEX ON {schema}.summed (token) INCLUDE (id, names);
CREATE INDEX ON {schema}.summed_month (word);
CREATE INDEX ON {schema}.summed_name (word, kind, total DESC, id) INCLUDE (awards)

-- name: fill_months
-- Sums by month.
INSERT INTO {schema}.month
SELECT date_trunc('month', award_date)::date AS month, count(*), sum(amount)
FROM {schema}.fact
GROUP BY 1
ORDER BY 1

-- name: fill_entity_years
-- Sums by name and year.
INSERT INTO {schema}.entity_year
SELECT %(kind)s, {dimension}, extract(year FROM award_date)::smallint AS year, count(*), sum(amount)
FROM {schema}.fact
GROUP BY {dimension}, 3
ORDER BY {dimension}, 3

-- name: index_entity_years
-- Finds a name's years, and a year's names by their sums.
CREATE INDEX ON {schema}.entity_year (kind, id, year);
CREATE INDEX ON {schema}.entity_year (kind, year, total DESC, id) INCLUDE (awards)

-- name: vacuum
-- Marks every page as visible to all, which scans of an index alone need, and for good, since no row will change.
VACUUM (FREEZE, ANALYZE) {schema}.{table}

-- name: count
-- What was kept of the rows.
SELECT (SELECT count(*) FROM {schema}.fact) AS loaded, (SELECT count(*) FROM {schema}.rejection) AS rejected

-- name: clear
-- Removes what only the load needs.
DROP AGGREGATE {schema}.joined (integer[]);
DROP TABLE {schema}.stage, {schema}.mention, {schema}.name, {schema}.placing, {schema}.word_part,
    {schema}.common_gram, {schema}.load
