-- name: find
-- The row of a message; nulls where it was removed since.
SELECT log_entries.id, log_entries.event_name, log_entries.status, log_entries.rules_version, event_ids.accepted_at
FROM event_ids
LEFT JOIN log_entries USING (app, message_id, accepted_at)
WHERE event_ids.app = %(app)s AND event_ids.message_id = %(message_id)s

-- name: newest
-- The newest events of an app, to try rules on.
SELECT event_name, status, is_body_kept, body::text AS body, results::text AS results
FROM log_entries
WHERE app = %(app)s
ORDER BY id DESC
LIMIT %(limit)s
