-- Publishing: the URL goes into the row and the job is done, in one transaction, only where the row still says what was drawn.

-- Ends a claimed job; one that was marked again meanwhile becomes due at once.
CREATE OR REPLACE FUNCTION tintype.finish(job_source integer, job_key text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM tintype.job j WHERE j.source = job_source AND j.key = job_key AND j.revision = j.claimed_revision;
    IF NOT FOUND THEN
        UPDATE tintype.job j SET lease = NULL, owner = NULL, lease_until = NULL, attempt = 0, deaths = 0, last_error = NULL
         WHERE j.source = job_source AND j.key = job_key;
    END IF;
END $$;

-- Whether a value of the image column is tintype's to replace: empty, the URL in the ledger, or an object's URL by its form (32
-- hexadecimal digits for a name) and its place: the folder of this row, wherever the store was then, or that of any row of this
-- table, since rows are copied with all their columns and get other keys. A picture chosen by hand is not.
CREATE OR REPLACE FUNCTION tintype.replaceable(current_image text, ledger_url text, object text, fresh_url text)
RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(current_image, '') = '' OR current_image IS NOT DISTINCT FROM ledger_url
           OR (current_image ~ '/[0-9a-f]{32}\.[a-z]+$'
               AND coalesce(right(regexp_replace(current_image, '[^/]*$', ''), length(folder) + 1) = '/' || folder, false)
                OR coalesce(regexp_replace(current_image, '[^/]*/[0-9a-f]{32}\.[a-z]+$', '') = regexp_replace(fresh_url, '[^/]*/[^/]*$', ''), false))
      FROM regexp_replace(object, '[^/]*$', '') AS folder
$$;

-- Publishes one picture (or the reason why there is none) and says what came of it:
--   published   the ledger and, where there is an image column, the row hold it
--   kept        the ledger holds it; the row shows a picture chosen by hand, which wins
--   changed     the row says something else by now: the job is due again
--   gone        the row is deleted, filtered out or hidden by row-level security: the job is finished
--   locked      the host holds the row: try again in a moment, the lease is still ours
--   refused     the host's table refused the write (detail says why): recorded as failed
--   lost        the lease is not ours any more: nothing was done
CREATE OR REPLACE FUNCTION tintype.publish_one(pic tintype.image, token bigint, OUT outcome text, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    src    tintype.source;
    old    tintype.image;
    host   record;  -- the row as it is now
    fresh  text;
    rows   bigint;
BEGIN
    PERFORM FROM tintype.job j WHERE j.source = pic.source AND j.key = pic.key AND j.lease = token FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'lost';
        RETURN;
    END IF;
    SELECT s.* INTO src FROM tintype.source s WHERE s.id = pic.source;
    IF NOT FOUND THEN  -- detached while the fold was at it
        DELETE FROM tintype.job j WHERE j.source = pic.source;
        outcome := 'gone';
        RETURN;
    END IF;
    SELECT i.* INTO old FROM tintype.image i WHERE i.source = pic.source AND i.key = pic.key;
    -- No waiting for the host: a row that it holds is skipped, and looked at once more without a lock to tell whether it exists.
    EXECUTE format('SELECT %s AS wanted, %s AS content, %s AS image FROM %s x WHERE %s %s',
        tintype.wanted_sql(src), tintype.content_sql(src, 'x'), coalesce('x.' || quote_ident(src.image_column) || '::text', 'NULL::text'),
        src.relation, tintype.match_sql(src, 'x', '$1'), tintype.lock_sql(src)) INTO host USING pic.key;
    IF host.content IS NULL THEN
        EXECUTE format('SELECT 1 FROM %s x WHERE %s', src.relation, tintype.match_sql(src, 'x', '$1')) INTO detail USING pic.key;
        outcome := CASE WHEN detail IS NULL THEN 'gone' ELSE 'locked' END;
        detail := NULL;
        IF outcome = 'locked' THEN
            PERFORM tintype.require_writable(src, pic.key);
        END IF;
    ELSIF NOT host.wanted THEN
        outcome := 'gone';
    ELSIF host.content IS DISTINCT FROM pic.content THEN
        outcome := 'changed';
        UPDATE tintype.job j SET revision = j.revision + 1 WHERE j.source = pic.source AND j.key = pic.key;
    END IF;
    IF outcome = 'gone' AND host.content IS NULL AND tintype.may_hide(src.relation) THEN
        PERFORM tintype.note_unseen(pic.source, pic.key);
    ELSIF outcome = 'gone' AND host.content IS NULL THEN
        DELETE FROM tintype.image i WHERE i.source = pic.source AND i.key = pic.key;
    ELSIF outcome = 'gone' THEN  -- noted without a fingerprint: once the filter lets the row in, as time may, the sweep marks it
        INSERT INTO tintype.image AS i (source, key, state, reason) VALUES (pic.source, pic.key, 'skipped', 'outside the row filter')
        ON CONFLICT (source, key) DO UPDATE SET
            state = excluded.state, reason = excluded.reason, content = NULL, in_row = false, updated_at = now();
    END IF;
    IF outcome IS DISTINCT FROM 'locked' AND outcome IS NOT NULL THEN
        PERFORM tintype.finish(pic.source, pic.key);
    END IF;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    outcome := 'published';
    pic.in_row := false;
    IF src.image_column IS NOT NULL AND pic.state <> 'failed' THEN
        fresh := coalesce(pic.url, src.image_blank);
        IF host.image IS NOT DISTINCT FROM fresh THEN
            pic.in_row := true;
        ELSIF NOT tintype.replaceable(host.image, old.url, coalesce(pic.object, old.object), coalesce(pic.url, old.url)) THEN
            outcome := 'kept';
        ELSE
            BEGIN
                EXECUTE format('UPDATE %s x SET %I = $2 WHERE %s', src.relation, src.image_column, tintype.match_sql(src, 'x', '$1'))
                  USING pic.key, fresh;
                GET DIAGNOSTICS rows = ROW_COUNT;
                IF rows = 0 THEN
                    RAISE EXCEPTION 'a trigger of the table drops the write';
                END IF;
                pic.in_row := true;
            EXCEPTION
                WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
                    outcome := 'locked';
                    RETURN;
                WHEN OTHERS THEN
                    outcome := 'refused';
                    detail := format('the host''s table refused the URL: %s', SQLERRM);
                    pic.state := 'failed';
                    pic.reason := detail;
            END;
        END IF;
    END IF;
    pic.updated_at := now();
    IF pic.state = 'failed' THEN  -- the last good picture, if any, stays on record
        pic.url := coalesce(old.url, pic.url);
        pic.object := coalesce(old.object, pic.object);
    ELSIF pic.state = 'skipped' THEN  -- its folder tells an earlier URL that a stale save writes back
        pic.object := old.object;
    END IF;
    INSERT INTO tintype.image SELECT pic.*
    ON CONFLICT (source, key) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, content = excluded.content, template = excluded.template, url = excluded.url,
        object = excluded.object, width = excluded.width, height = excluded.height, bytes = excluded.bytes,
        media_type = excluded.media_type, kind = excluded.kind, engine = excluded.engine, alt = excluded.alt,
        in_row = excluded.in_row, rendered_at = excluded.rendered_at, updated_at = excluded.updated_at;
    PERFORM tintype.finish(pic.source, pic.key);
END $$;

-- Publishes a batch: an array of tintype.image rows as JSON, each with the `lease` it was drawn under. In key order, so that
-- two workers' batches cannot deadlock. `announce` tells listeners on channel tintype_image (source, key, state, url).
CREATE OR REPLACE FUNCTION tintype.publish(batch jsonb, announce boolean DEFAULT false)
RETURNS TABLE (source integer, key text, outcome text, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    one jsonb;
    pic tintype.image;
BEGIN
    -- URL, ledger and the end of the job are one commit: one that a crash forgets is drawn again, to the same bytes.
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR one IN SELECT e FROM jsonb_array_elements(batch) AS e ORDER BY (e ->> 'source')::integer, e ->> 'key' LOOP
        pic := jsonb_populate_record(NULL::tintype.image, one);
        source := pic.source;
        key := pic.key;
        SELECT p.outcome, p.detail INTO outcome, detail FROM tintype.publish_one(pic, (one ->> 'lease')::bigint) p;
        IF announce AND outcome IN ('published', 'kept', 'refused') THEN
            PERFORM pg_notify('tintype_image', (SELECT json_build_object('source', s.name, 'key', pic.key, 'state', i.state, 'url', i.url)::text
                                                  FROM tintype.image i JOIN tintype.source s ON s.id = i.source
                                                 WHERE i.source = pic.source AND i.key = pic.key));
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
