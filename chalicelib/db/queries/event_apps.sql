-- name: add
-- A new app; none where the id is taken.
INSERT INTO apps (
    app_id, user_id, name, description, platform, sdk_type, policy, optional_absent_is_invalid, integer_for_float,
    ingest_key_digest, salt, spike_alerts, spike_factor, spike_floor, spike_pause_minutes, keep_bodies_per_minute
)
VALUES (
    %(app_id)s, %(user_id)s, %(name)s, %(description)s, %(platform)s, %(sdk_type)s, %(policy)s,
    %(optional_absent_is_invalid)s, %(integer_for_float)s, %(ingest_key_digest)s, %(salt)s, %(spike_alerts)s,
    %(spike_factor)s, %(spike_floor)s, %(spike_pause_minutes)s, %(keep_bodies_per_minute)s
)
ON CONFLICT (app_id) DO NOTHING
RETURNING *

-- name: find
-- An app of an account, or of anybody for those who see all.
SELECT *
FROM apps
WHERE app_id = %(app_id)s AND (%(sees_all)s OR user_id = %(account)s)

-- name: lock
-- The same until the end of the transaction, which changes it.
SELECT *
FROM apps
WHERE app_id = %(app_id)s AND (%(sees_all)s OR user_id = %(account)s)
FOR UPDATE

-- name: of
-- The apps of an account, newest first.
SELECT *
FROM apps
WHERE user_id = %(account)s
ORDER BY created_at DESC, id DESC

-- name: change
-- Sets what may be changed.
UPDATE apps
SET name = %(name)s,
    description = %(description)s,
    platform = %(platform)s,
    sdk_type = %(sdk_type)s,
    policy = %(policy)s,
    optional_absent_is_invalid = %(optional_absent_is_invalid)s,
    integer_for_float = %(integer_for_float)s,
    ingest_key_digest = %(ingest_key_digest)s,
    keep_bodies_per_minute = %(keep_bodies_per_minute)s,
    spike_alerts = %(spike_alerts)s,
    spike_factor = %(spike_factor)s,
    spike_floor = %(spike_floor)s,
    spike_pause_minutes = %(spike_pause_minutes)s,
    updated_at = now(),
    revision = nextval('app_revisions')
WHERE id = %(id)s
RETURNING *

-- name: remove
-- Removes an app with its rules; answers the revision that stands for its end.
DELETE FROM apps
WHERE id = %(id)s
RETURNING nextval('app_revisions') AS revision

-- name: remove_entries
-- Removes the events of an app.
DELETE FROM log_entries
WHERE app = %(id)s

-- name: remove_ids
-- Removes the ids of its messages.
DELETE FROM event_ids
WHERE app = %(id)s

-- name: remove_latest
-- Removes what is known of its newest events.
DELETE FROM latest_event
WHERE app = %(id)s

-- name: add_sheet
-- A rule sheet as the next version of an app's.
INSERT INTO rule_sheets (app, version, rules, label, source, created_by)
VALUES (%(app)s, %(version)s, %(rules)s::jsonb, %(label)s, %(source)s, %(created_by)s)

-- name: use_sheet
-- Has the app's events be judged by a version.
UPDATE apps
SET rules_version = %(version)s,
    updated_at = now(),
    revision = nextval('app_revisions')
WHERE id = %(id)s
RETURNING *

-- name: sheet
-- The rules of a version.
SELECT version, rules::text AS rules, label, source, created_at
FROM rule_sheets
WHERE app = %(app)s AND version = %(version)s

-- name: sheets
-- The versions of an app, newest first, without their rules.
SELECT version, jsonb_array_length(rules -> 'rules') AS rules, label, source, created_at
FROM rule_sheets
WHERE app = %(app)s
ORDER BY version DESC
LIMIT %(limit)s
