-- name: similar_names
-- Names that are like a text or have something like it in them; none where one has the text itself, or the phrase.
SELECT name
FROM {schema}.{dimension}
WHERE NOT EXISTS (
        SELECT
        FROM {schema}.{dimension}
        WHERE strpos(folded, %(text)s) > 0 AND (%(phrase)s::text IS NULL OR folded ~ %(phrase)s::text)
    )
    AND word_similarity(%(text)s, folded) >= %(least)s
ORDER BY word_similarity(%(text)s, folded) DESC, similarity(%(text)s, folded) DESC, awards DESC, id
LIMIT %(most)s

-- name: similar_words
-- Words that a few wrong, missing or superfluous letters make of a word, most frequent first among equals; none where one
-- has the word in it, or, where it is of a phrase, is the word.
SELECT token
FROM {schema}.word
WHERE NOT EXISTS (
        SELECT
        FROM {schema}.word
        WHERE strpos(token, %(text)s) > 0 AND (NOT %(is_whole)s OR token = %(text)s)
    )
    AND length(token) BETWEEN length(%(text)s) - %(letters)s AND length(%(text)s) + %(letters)s
    AND levenshtein_less_equal(%(text)s, token, %(letters)s) <= %(letters)s
ORDER BY levenshtein_less_equal(%(text)s, token, %(letters)s), df DESC, token
LIMIT %(most)s
