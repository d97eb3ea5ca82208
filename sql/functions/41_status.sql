-- The application's own column for how its row's picture stands (attach --status-column): `processing` while it is drawn, then `ready`,
-- `failed` or `skipped` in the same UPDATE as the URL, and `pending` while it waits for another attempt. New rows are `pending` by the
-- column's own default: the host's write costs nothing more. Nobody's trigger of ours looks at the column, so no write here marks a row.

-- The word for a state. An enum without `skipped` says `failed` of a row that calls for no picture; the reason is in tintype.image.
CREATE OR REPLACE FUNCTION tintype.status_word(src tintype.source, state text)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF state = 'skipped' AND EXISTS (
            SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'e'
             WHERE a.attrelid = src.relation AND a.attname = src.status_column
               AND NOT EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid AND e.enumlabel = 'skipped')) THEN
        RETURN 'failed';
    END IF;
    RETURN state;
END $$;

-- Writes the word alone, where the row says another: `written`, `locked` where somebody holds the row, `refused` with the host's reason.
CREATE OR REPLACE FUNCTION tintype.write_status(src tintype.source, row_key text, state text, OUT outcome text, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    word text;
    says text;
BEGIN
    outcome := 'written';
    IF src.status_column IS NULL THEN
        RETURN;
    END IF;
    word := tintype.status_word(src, state);
    EXECUTE format('SELECT coalesce(x.%I::text, '''') FROM %s x WHERE %s FOR NO KEY UPDATE SKIP LOCKED', src.status_column, src.relation, tintype.match_sql(src, 'x', '$1'))
       INTO says USING row_key;
    IF says IS NULL THEN
        outcome := 'locked';  -- or deleted
    ELSIF says <> word THEN
        EXECUTE format('UPDATE %s x SET %I = %L WHERE %s', src.relation, src.status_column, word, tintype.match_sql(src, 'x', '$1')) USING row_key;
    END IF;
EXCEPTION WHEN OTHERS THEN
    outcome := tintype.blame(SQLSTATE);
    IF outcome IS NULL THEN
        RAISE;
    ELSIF outcome = 'refused' THEN
        detail := format('the host''s table refused its status: %s', SQLERRM);
    END IF;
END $$;

-- Says of a claimed row that it is being drawn; nothing where the claim is lost or somebody holds the row, for whom nobody waits.
CREATE OR REPLACE FUNCTION tintype.say_processing(job_source integer, row_key text, token bigint)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    src tintype.source;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);  -- one that a crash forgets is claimed again
    PERFORM FROM tintype.job j WHERE j.source = job_source AND j.key = row_key AND j.lease = token FOR UPDATE;
    IF FOUND THEN
        SELECT s.* INTO src FROM tintype.source s WHERE s.id = job_source;
        PERFORM tintype.write_status(src, row_key, 'processing');
    END IF;
END $$;

-- The same for a row whose job waits (again).
CREATE OR REPLACE FUNCTION tintype.say_pending(job_source integer, row_key text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    src tintype.source;
BEGIN
    SELECT s.* INTO src FROM tintype.source s WHERE s.id = job_source AND s.status_column IS NOT NULL;
    IF FOUND THEN
        PERFORM tintype.write_status(src, row_key, 'pending');
    END IF;
END $$;
