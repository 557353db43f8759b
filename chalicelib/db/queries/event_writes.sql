-- name: store
-- Stores what was not stored before, of equal messages of the call the first; answers places and ids of what is new.
-- What was given is joined to what is new by hash: Postgres takes either for few rows, and would look at each for each,
-- as it would if their ids were not of one collation.
SELECT set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (app, message_id)
        app, given.message_id COLLATE "C" AS message_id, body_hash, accepted_at, event_name, given.status, is_user,
        given.rules_version, body, results, is_body_kept, place
    FROM unnest(
        %(apps)s::bigint[], %(message_ids)s::text[], %(hashes)s::bytea[], %(accepted)s::timestamptz[],
        %(names)s::text[], %(statuses)s::text[], %(are_users)s::boolean[], %(versions)s::integer[],
        %(bodies)s::text[], %(results)s::text[], %(are_bodies_kept)s::boolean[]
    ) WITH ORDINALITY AS given (
        app, message_id, body_hash, accepted_at, event_name, status, is_user, rules_version, body, results,
        is_body_kept, place
    )
    JOIN apps ON apps.id = given.app
    ORDER BY app, message_id, place
), new AS (
    INSERT INTO event_ids (app, message_id, body_hash, accepted_at)
    SELECT app, message_id, body_hash, accepted_at
    FROM given
    ORDER BY app, message_id
    ON CONFLICT DO NOTHING
    RETURNING app, message_id
), stored AS (
    INSERT INTO log_entries (
        app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results, is_body_kept
    )
    SELECT
        app, accepted_at, event_name, message_id, status, is_user, rules_version, body::jsonb, results::jsonb,
        is_body_kept
    FROM given
    JOIN new USING (app, message_id)
    ORDER BY place
    RETURNING app, message_id, event_name, id, accepted_at, status, is_user
), counted AS (
    INSERT INTO event_news (app, slot, event_name, status, is_user, count)
    SELECT app, date_bin('15 minutes', accepted_at, '2000-01-01T00:00:00Z') AS slot, event_name, status, is_user, count(*)
    FROM stored
    GROUP BY app, slot, event_name, status, is_user
), newest AS (
    INSERT INTO latest_event (app, event_name, id, accepted_at, status, is_user)
    SELECT DISTINCT ON (app, event_name) app, event_name, id, accepted_at, status, is_user
    FROM stored
    ORDER BY app, event_name, accepted_at DESC, id DESC
    ON CONFLICT (app, event_name) DO UPDATE
    SET id = excluded.id, accepted_at = excluded.accepted_at, status = excluded.status, is_user = excluded.is_user
    WHERE (excluded.accepted_at, excluded.id) > (latest_event.accepted_at, latest_event.id)
)
SELECT place::integer - 1 AS place, id
FROM given
JOIN stored USING (app, message_id)

-- name: known
-- What is known of messages that were not new; each is looked up by itself.
SELECT set_config('enable_nestloop', 'on', true), set_config('enable_hashjoin', 'off', true);
SELECT event_ids.app, event_ids.message_id, event_ids.body_hash, event_ids.accepted_at
FROM unnest(%(apps)s::bigint[], %(message_ids)s::text[]) AS given (app, message_id)
JOIN event_ids ON event_ids.app = given.app AND event_ids.message_id = given.message_id COLLATE "C"
