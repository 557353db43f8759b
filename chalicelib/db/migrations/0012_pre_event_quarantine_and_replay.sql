-- Looking through invalid events, judging stored events again, and valid events that are stored without their body.

-- Invalid events are few among many, and are looked for newest first.
CREATE INDEX log_entries_invalid_idx ON log_entries (app, id DESC) WHERE status = 'invalid';

-- Valid events of a minute that keep their body, in each process that takes events; null: all do.
ALTER TABLE apps ADD COLUMN keep_bodies_per_minute integer CHECK (keep_bodies_per_minute >= 0);

-- Where it is false the body is an empty object.
ALTER TABLE log_entries ADD COLUMN is_body_kept boolean NOT NULL DEFAULT true;

-- How far each replay has come: changed in the transaction that changes the events, so that none counts twice. The app
-- is not referenced: its removal must not wait for a replay that waits for its events.
CREATE TABLE event_replays (
    job_id text PRIMARY KEY,
    app bigint NOT NULL,
    -- What was settled when it began: the rules, and which events.
    plan jsonb NOT NULL,
    -- What it has done so far.
    stand jsonb NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now()
);
