-- name: names
-- Which names of a dimension fit, and how many awards they have.
SELECT coalesce(array_agg(id), ARRAY[]::integer[]) AS ids, coalesce(sum(awards), 0)::integer AS awards
FROM (
    {found}
) AS found

-- name: names_that_fit
-- Names of a dimension for which conditions hold.
SELECT id, awards
FROM {schema}.{dimension}
WHERE {fits}

-- name: name_fits
-- All texts of an item, or of one of its alternatives, stand in a name.
folded LIKE ALL({patterns}::text[])

-- name: name_has_phrases
-- All phrases do.
folded ~ ALL({patterns}::text[])

-- name: name_lacks_texts
-- No text that is left out does.
NOT folded LIKE ANY({patterns}::text[])

-- name: name_lacks_phrases
-- No phrase that is left out does.
NOT folded ~ ANY({patterns}::text[])

-- name: words
-- The words that fit each pattern, most frequent first, none if to unite their lists costs more than to read all titles.
SELECT
    pattern.text,
    sum(word.df) AS postings,
    count(*) FILTER (WHERE word.is_common) AS common,
    coalesce(sum(word.df) FILTER (WHERE NOT word.is_common), 0) AS rare_postings,
    CASE
        WHEN sum(word.df) - max(word.df) <= %(rows)s THEN array_agg(word.token ORDER BY word.df DESC, word.token)
    END AS tokens
FROM unnest(%(patterns)s::text[]) AS pattern (text)
JOIN {schema}.word AS word ON word.token LIKE pattern.text
GROUP BY pattern.text
UNION ALL
SELECT token, df, is_common::integer, CASE WHEN is_common THEN 0 ELSE df END, ARRAY[token]
FROM {schema}.word
WHERE token = ANY(%(words)s::text[])

-- name: grams
-- How many rows have n-grams of common words.
SELECT token, df, is_common
FROM {schema}.gram
WHERE token = ANY(%(grams)s::text[])

-- name: word_rows
-- The rows with a word, or an n-gram.
coalesce((SELECT rids FROM {schema}.{table} WHERE token = {token}), ARRAY[]::integer[])

-- name: more_word_rows
-- The rows with any of several words, or n-grams.
coalesce(
    (SELECT array_agg(rid) FROM {schema}.{table}, unnest(rids) AS rid WHERE token = ANY({tokens}::text[])),
    ARRAY[]::integer[]
)

-- name: has_texts
-- All texts stand in a title.
t.search_text LIKE ALL({patterns}::text[])

-- name: has_phrases
-- All phrases do.
t.search_text ~ ALL({patterns}::text[])

-- name: text_rows
-- The rows among candidates in whose titles all texts and phrases stand.
coalesce(
    (
        SELECT array_agg(t.rid ORDER BY t.rid)
        FROM {schema}.title AS t
        WHERE t.rid = ANY((SELECT {candidates})::integer[]) AND {tests}
    ),
    ARRAY[]::integer[]
)

-- name: text_rows_of_all
-- The rows in whose titles all texts and phrases stand.
coalesce(
    (SELECT array_agg(t.rid ORDER BY t.rid) FROM {schema}.title AS t WHERE {tests}),
    ARRAY[]::integer[]
)

-- name: without
-- The rows of a list that are in no list of what is left out; the list is made once, for these look into it too.
(
    WITH kept AS MATERIALIZED (
        SELECT {wanted} AS rids
    )
    SELECT kept.rids - {unwanted}
    FROM kept
)

-- name: kept
-- The list of which rows are left out.
kept.rids
