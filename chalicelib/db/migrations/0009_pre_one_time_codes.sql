-- One-time codes, by which somebody shows that they read the mail of an address. An address has one for each purpose
-- whether or not there is an account, so that the two cannot be told apart.
CREATE TABLE one_time_codes (
    purpose varchar(10) NOT NULL CHECK (purpose IN ('sign_up', 'reset')),
    address varchar(200) NOT NULL,
    digest char(64) NOT NULL,
    tries smallint NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
    mailed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (purpose, address)
);

CREATE INDEX one_time_codes_expires_at_idx ON one_time_codes (expires_at);

-- Tries that led to nothing: passwords, codes. The key is a digest of who tries what, and tells neither.
CREATE TABLE tries (
    key char(64) PRIMARY KEY,
    count integer NOT NULL CHECK (count >= 0),
    next_at timestamptz NOT NULL,
    forget_at timestamptz NOT NULL
);

CREATE INDEX tries_forget_at_idx ON tries (forget_at);
