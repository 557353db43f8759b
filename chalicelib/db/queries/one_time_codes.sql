-- name: issue
-- Makes this the address's only code for the purpose, unless a mail went there a moment ago; answers nothing then.
INSERT INTO one_time_codes (purpose, address, digest, mailed_at, expires_at)
VALUES (%(purpose)s, %(address)s, %(digest)s, %(now)s, %(expires_at)s)
ON CONFLICT (purpose, address) DO UPDATE
SET digest = excluded.digest,
    tries = 0,
    mailed_at = excluded.mailed_at,
    expires_at = excluded.expires_at
WHERE one_time_codes.mailed_at <= %(mailed_before)s
RETURNING mailed_at

-- name: find_mailed_at
-- When the last mail went to the address for the purpose.
SELECT mailed_at
FROM one_time_codes
WHERE purpose = %(purpose)s AND address = %(address)s

-- name: spend_try
-- Uses up one try of the code, if it has one left, and answers its digest.
UPDATE one_time_codes
SET tries = tries + 1
WHERE purpose = %(purpose)s
    AND address = %(address)s
    AND expires_at > %(now)s
    AND tries < %(most_tries)s
RETURNING digest

-- name: give_back
-- Gives a try back that was used up by the right code.
UPDATE one_time_codes
SET tries = tries - 1
WHERE purpose = %(purpose)s AND address = %(address)s AND digest = %(digest)s AND tries > 0

-- name: use
-- Uses the code up, if it is still the one of that digest; answers nothing if not.
DELETE FROM one_time_codes
WHERE purpose = %(purpose)s AND address = %(address)s AND digest = %(digest)s
RETURNING digest

-- name: sweep
-- Removes some codes that are good for nothing any more, and waits for nobody.
DELETE FROM one_time_codes
WHERE (purpose, address) IN (
    SELECT purpose, address FROM one_time_codes WHERE expires_at <= %(now)s LIMIT 20 FOR UPDATE SKIP LOCKED
)
