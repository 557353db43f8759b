-- Searches take turns: one keeps a processor busy, so more at once than there are processors would make all of them slower.
-- A transaction has one of some locks until its end. Who comes waits in one line for whichever is free first: the first in the
-- line holds the gate and looks each millisecond, for nobody can wait for either of two locks. The gate is a lock of the
-- session, as one of a transaction cannot be given back before its end; so it is given back whatever happens.
CREATE FUNCTION take_turn(gate integer, turns integer, patience_ms integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + make_interval(secs => patience_ms / 1000.0);
BEGIN
    PERFORM set_config('lock_timeout', patience_ms::text, true);
    PERFORM pg_advisory_lock(gate, 0);
    LOOP
        FOR turn IN 1 .. turns LOOP
            IF pg_try_advisory_xact_lock(gate, turn) THEN
                PERFORM pg_advisory_unlock(gate, 0);
                RETURN;
            END IF;
        END LOOP;
        IF clock_timestamp() >= deadline THEN
            RAISE EXCEPTION 'no turn within % ms', patience_ms USING ERRCODE = 'lock_not_available';
        END IF;
        PERFORM pg_sleep(0.001);
    END LOOP;
EXCEPTION WHEN query_canceled OR OTHERS THEN
    PERFORM pg_advisory_unlock(gate, 0)
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
        AND classid = gate::oid AND objid = 0 AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RAISE;
END
$$;
