-- name: find_by_email
-- The account that logs in with this address, compared without case.
SELECT id::text AS id, email, name, role, password_hash, is_active, access_expires_at
FROM users
WHERE lower(email) = lower(%(email)s)

-- name: find_by_id
-- The account with this id.
SELECT id::text AS id, email, name, role, password_hash, is_active, access_expires_at
FROM users
WHERE id = %(id)s

-- name: record_login
-- Remembers when somebody logged in last, with a hash of today's parameters if there is a new one; answers nothing if
-- the hash that the password was checked against is not the account's any more.
UPDATE users
SET last_login = %(at)s,
    password_hash = coalesce(%(renewed)s, password_hash)
WHERE id = %(id)s AND password_hash = %(password_hash)s
RETURNING id

-- name: open
-- Makes an account, unless the address has one; answers nothing then.
INSERT INTO users (email, name, password_hash)
VALUES (%(email)s, %(name)s, %(password_hash)s)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id::text AS id, email, name, role, password_hash, is_active, access_expires_at

-- name: set_password
-- Gives the account of an address another password.
UPDATE users
SET password_hash = %(password_hash)s,
    updated_at = now()
WHERE lower(email) = lower(%(email)s)
RETURNING id::text AS id, email, name, role, password_hash, is_active, access_expires_at

-- name: put
-- Makes the account, or sets an existing one's name, password and role.
INSERT INTO users (email, name, password_hash, role, access_expires_at)
VALUES (lower(%(email)s), %(name)s, %(password_hash)s, %(role)s, now() + interval '365 days')
ON CONFLICT (lower(email)) DO UPDATE
SET name = excluded.name,
    password_hash = excluded.password_hash,
    role = excluded.role,
    is_active = true,
    access_expires_at = excluded.access_expires_at,
    updated_at = now()
RETURNING id::text AS id
