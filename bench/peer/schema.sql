-- What the old system kept of events, with its indexes.
CREATE TABLE apps (
    id serial PRIMARY KEY,
    app_id varchar(100) NOT NULL UNIQUE,
    name varchar(200) NOT NULL
);
CREATE TABLE validation_rules (
    id serial PRIMARY KEY,
    app_id integer NOT NULL REFERENCES apps (id),
    event_name varchar(200) NOT NULL,
    field_name varchar(200) NOT NULL,
    data_type varchar(50) NOT NULL,
    is_required boolean NOT NULL DEFAULT false,
    created_at timestamp NOT NULL DEFAULT localtimestamp
);
CREATE INDEX validation_rules_event_idx ON validation_rules (app_id, event_name);
CREATE TABLE log_entries (
    id serial PRIMARY KEY,
    app_id integer NOT NULL REFERENCES apps (id),
    event_name varchar(200) NOT NULL,
    payload json NOT NULL,
    payload_hash varchar(64),
    validation_status varchar(20) NOT NULL,
    validation_results json,
    created_at timestamp NOT NULL DEFAULT localtimestamp
);
CREATE INDEX log_entries_event_idx ON log_entries (event_name);
CREATE INDEX log_entries_hash_idx ON log_entries (payload_hash);
CREATE INDEX log_entries_status_idx ON log_entries (validation_status);
CREATE INDEX log_entries_created_idx ON log_entries (created_at);
CREATE INDEX log_entries_app_status_idx ON log_entries (app_id, validation_status);
CREATE INDEX log_entries_app_event_idx ON log_entries (app_id, event_name, created_at);
INSERT INTO apps (app_id, name) VALUES ('test-app', 'Bench');
INSERT INTO validation_rules (app_id, event_name, field_name, data_type, is_required)
VALUES
    (1, 'user_login', 'userId', 'integer', true),
    (1, 'user_login', 'method', 'text', false);
