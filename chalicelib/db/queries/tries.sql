-- name: charge
-- Counts one more try unless the wait after the last one is not over yet; answers nothing then.
INSERT INTO tries (key, count, next_at, forget_at)
VALUES (
    %(key)s,
    1,
    %(now)s + make_interval(secs => (%(waits_s)s::integer[])[1]),
    %(now)s + make_interval(secs => %(forget_s)s)
)
ON CONFLICT (key) DO UPDATE
SET (count, next_at, forget_at) = (
    SELECT
        made.count,
        %(now)s + make_interval(
            secs => (%(waits_s)s::integer[])[least(made.count, cardinality(%(waits_s)s::integer[]))]
        ),
        excluded.forget_at
    FROM (SELECT CASE WHEN tries.forget_at <= %(now)s THEN 1 ELSE tries.count + 1 END AS count) AS made
)
WHERE tries.next_at <= %(now)s OR tries.forget_at <= %(now)s
RETURNING count

-- name: find_wait
-- When the next try may be made.
SELECT next_at
FROM tries
WHERE key = %(key)s

-- name: forget
-- Forgets tries, because one has led to something.
DELETE FROM tries
WHERE key = %(key)s

-- name: refund
-- Takes one try back.
UPDATE tries
SET count = greatest(count - 1, 0),
    next_at = least(next_at, %(now)s)
WHERE key = %(key)s

-- name: sweep
-- Removes some of what is forgotten anyway, and waits for nobody.
DELETE FROM tries
WHERE key IN (SELECT key FROM tries WHERE forget_at <= %(now)s LIMIT 20 FOR UPDATE SKIP LOCKED)
