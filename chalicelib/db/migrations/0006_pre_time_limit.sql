-- No statement without a limit: what a connection does not say for itself, the role says for it. Requests ask for less,
-- loads and exports, which can be interrupted, for more.
DO $$
BEGIN
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET statement_timeout = ''20s''', current_user, current_database());
END
$$;
