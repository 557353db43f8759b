-- name: create
-- What a version has, and what its load needs until it is published; the latter does without the journal of writes.
CREATE SCHEMA {schema};
CREATE TABLE {schema}.contractor (
    id integer, name text COLLATE "C" NOT NULL, folded text COLLATE "C" NOT NULL,
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
CREATE TABLE {schema}.word (token text COLLATE "C", df integer NOT NULL, rids integer[] NOT NULL);
ALTER TABLE {schema}.word ALTER COLUMN rids SET STORAGE EXTERNAL;
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
CREATE UNLOGGED TABLE {schema}.name (name text COLLATE "C" NOT NULL, folded text COLLATE "C" NOT NULL);
CREATE UNLOGGED TABLE {schema}.placing (place bigint NOT NULL, rid integer NOT NULL);
CREATE UNLOGGED TABLE {schema}.word_part (
    token text COLLATE "C" NOT NULL, part integer NOT NULL, df integer NOT NULL, rids integer[] NOT NULL
);
ALTER TABLE {schema}.word_part ALTER COLUMN rids SET STORAGE EXTERNAL;
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
-- Takes names and their folded forms from the client.
COPY {schema}.name FROM STDIN WITH (FORMAT csv)

-- name: fill_dimension
-- Numbers names in their order and sums what they stand for.
INSERT INTO {schema}.{dimension}
SELECT row_number() OVER (ORDER BY folded, name), name, folded, awards, total, first_date, last_date
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
ALTER TABLE {schema}.fact ADD PRIMARY KEY (rid)

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
-- Joins the ranges.
INSERT INTO {schema}.word
SELECT token, sum(df), {schema}.joined(rids ORDER BY part)
FROM {schema}.word_part
GROUP BY token
ORDER BY token;
ALTER TABLE {schema}.word ADD PRIMARY KEY (token)

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
DROP TABLE {schema}.stage, {schema}.name, {schema}.placing, {schema}.word_part, {schema}.load
