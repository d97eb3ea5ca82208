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
RETURNS boolean LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(current_image, '') = '' OR current_image IS NOT DISTINCT FROM ledger_url
        OR (SELECT (current_image ~ '/[0-9a-f]{32}\.[a-z]+$'
                    AND coalesce(right(regexp_replace(current_image, '[^/]*$', ''), length(folder) + 1) = '/' || folder, false)
                    OR coalesce(regexp_replace(current_image, '[^/]*/[0-9a-f]{32}\.[a-z]+$', '') = regexp_replace(fresh_url, '[^/]*/[^/]*$', ''), false))
              FROM regexp_replace(object, '[^/]*$', '') AS folder);
END $$;

-- The row as it is now, locked without waiting for the host: one that it holds is skipped, and looked at once more without a
-- lock to tell whether it exists. Nothing but `held` means anything then, or where the row is not `there`. This and the next three
-- are parts of publish_one, which pins the settings that a key's text is read under.
CREATE OR REPLACE FUNCTION tintype.lock_row(
    src tintype.source, key text, OUT there boolean, OUT held boolean, OUT wanted boolean, OUT content text, OUT shown text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT true, false, %s, %s, %s FROM %s x WHERE %s %s',
        tintype.wanted_sql(src), tintype.content_sql(src, 'x'), coalesce('x.' || quote_ident(src.image_column) || '::text', 'NULL::text'),
        src.relation, tintype.match_sql(src, 'x', '$1'), tintype.lock_sql(src)) INTO there, held, wanted, content, shown USING key;
    IF there IS NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s x WHERE %s)', src.relation, tintype.match_sql(src, 'x', '$1')) INTO held USING key;
        there := held;
        IF held THEN
            PERFORM tintype.require_writable(src, key);
        END IF;
    END IF;
END $$;

-- Writes to the image column of a row that lock_row has locked, and what its status is then: `written`, `locked` where a trigger of the host's waits for somebody,
-- `refused` with the host's reason.
CREATE OR REPLACE FUNCTION tintype.write_url(src tintype.source, key text, url text, state text, OUT outcome text, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rows bigint;
BEGIN
    EXECUTE format('UPDATE %s x SET %I = $2%s WHERE %s', src.relation, src.image_column,
                   CASE WHEN src.status_column IS NULL THEN '' ELSE format(', %I = %L', src.status_column, tintype.status_word(src, state)) END,
                   tintype.match_sql(src, 'x', '$1')) USING key, url;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows = 0 THEN
        RAISE EXCEPTION 'a trigger of the table drops the write';
    END IF;
    outcome := 'written';
EXCEPTION WHEN OTHERS THEN
    outcome := tintype.blame(SQLSTATE);
    IF outcome IS NULL THEN
        RAISE;
    ELSIF outcome = 'refused' THEN
        detail := format('the host''s table refused the URL: %s', SQLERRM);
    END IF;
END $$;

-- Notes that the row filter leaves a row out; where the owner wants it so, a URL of ours is taken out of the row. What was drawn
-- stays on record: should the row come back as it was, its URL is written back. (What failed or was drawn with marks is drawn anew
-- then.) The sweep finds a row that comes back with time alone.
CREATE OR REPLACE FUNCTION tintype.leave_out(src tintype.source, row_key text, old tintype.image, shown text, OUT outcome text, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    why text;
BEGIN
    outcome := 'gone';
    IF src.unpublish AND coalesce(shown, '') <> '' AND tintype.replaceable(shown, old.url, old.object, old.url) THEN
        SELECT w.outcome, w.detail INTO outcome, detail FROM tintype.write_url(src, row_key, src.image_blank, 'skipped') w;
        IF outcome = 'locked' THEN
            RETURN;
        ELSIF outcome = 'written' THEN
            outcome := 'unpublished';
        END IF;
    END IF;
    PERFORM tintype.write_status(src, row_key, 'skipped');
    why := CASE WHEN outcome = 'unpublished' THEN 'outside the row filter; its URL was taken out of the row'
                WHEN outcome = 'gone' AND old.outside AND coalesce(shown, '') = '' THEN old.reason
                ELSE concat_ws('; ', 'outside the row filter', detail) END;
    INSERT INTO tintype.image AS i (source, key, state, reason, outside) VALUES (src.id, row_key, 'skipped', why, true)
    ON CONFLICT (source, key) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, outside = true, in_row = false, updated_at = now(),
        content = CASE WHEN i.outside OR (i.state = 'ready' AND i.reason IS NULL) THEN i.content END;
END $$;

-- Puts a picture (or the reason why there is none) on record and, where there is an image column, its URL into the row.
CREATE OR REPLACE FUNCTION tintype.record(src tintype.source, pic tintype.image, old tintype.image, shown text, OUT outcome text, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fresh  text := coalesce(pic.url, src.image_blank);
    status record;
BEGIN
    outcome := 'published';
    pic.in_row := false;
    IF src.image_column IS NULL OR pic.state = 'failed' THEN
        NULL;
    ELSIF shown IS NOT DISTINCT FROM fresh THEN
        pic.in_row := true;
    ELSIF NOT tintype.replaceable(shown, old.url, coalesce(pic.object, old.object), coalesce(pic.url, old.url)) THEN
        outcome := 'kept';
    ELSE
        SELECT w.outcome, w.detail INTO outcome, detail FROM tintype.write_url(src, pic.key, fresh, pic.state) w;
        IF outcome = 'locked' THEN
            RETURN;
        ELSIF outcome = 'refused' THEN
            pic.state := 'failed';
            pic.reason := detail;
        ELSE
            outcome := 'published';
            pic.in_row := true;
        END IF;
    END IF;
    IF src.status_column IS NOT NULL THEN  -- nothing where the URL brought it along
        SELECT w.outcome AS outcome, w.detail INTO status FROM tintype.write_status(src, pic.key, CASE outcome WHEN 'kept' THEN 'ready' ELSE pic.state END) w;
        IF status.outcome = 'refused' AND pic.state <> 'failed' THEN
            outcome := 'refused';
            detail := status.detail;
            pic.state := 'failed';
            pic.reason := detail;
        END IF;
    END IF;
    pic.updated_at := now();
    pic.outside := false;
    IF pic.state = 'failed' AND old.url IS NOT NULL THEN  -- the last good picture stays on record; this one nobody will see
        IF pic.object <> old.object THEN
            PERFORM tintype.discard(pic.object, pic.source, pic.key);
        END IF;
        pic.url := old.url;
        pic.object := old.object;
    ELSIF pic.state = 'skipped' THEN  -- its folder tells an earlier URL that a stale save writes back
        pic.object := old.object;
    END IF;
    IF old.url IS NOT NULL AND (pic.object IS DISTINCT FROM old.object OR pic.url IS NULL) THEN
        PERFORM tintype.discard(old.object, pic.source, pic.key);
    END IF;
    INSERT INTO tintype.image SELECT pic.*
    ON CONFLICT (source, key) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, content = excluded.content, template = excluded.template, url = excluded.url,
        object = excluded.object, width = excluded.width, height = excluded.height, bytes = excluded.bytes,
        media_type = excluded.media_type, kind = excluded.kind, engine = excluded.engine, alt = excluded.alt,
        in_row = excluded.in_row, outside = excluded.outside, rendered_at = excluded.rendered_at, updated_at = excluded.updated_at;
END $$;

-- Publishes one picture (or the reason why there is none) and says what came of it:
--   published    the ledger and, where there is an image column, the row hold it
--   kept         the ledger holds it; the row shows a picture chosen by hand, which wins
--   changed      the row says something else by now: the job is due again
--   gone         the row is deleted, filtered out or hidden by row-level security: the job is finished
--   unpublished  the row is filtered out, and its URL was taken out of it
--   removed      its object is being deleted from the store: the job is due again in a moment, to store it anew
--   locked       the host holds the row: try again in a moment, the lease is still ours
--   refused      the host's table refused the write (detail says why): on record
--   lost         the lease is not ours any more: nothing was done
CREATE OR REPLACE FUNCTION tintype.publish_one(pic tintype.image, token bigint, OUT outcome text, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    src  tintype.source;
    old  tintype.image;
    host record;
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
    SELECT * INTO host FROM tintype.lock_row(src, pic.key);
    IF host.held THEN
        outcome := 'locked';
    ELSIF NOT host.there AND tintype.may_hide(src.relation) THEN
        outcome := 'gone';
        PERFORM tintype.note_unseen(pic.source, pic.key);
    ELSIF NOT host.there THEN
        outcome := 'gone';
        DELETE FROM tintype.image i WHERE i.source = pic.source AND i.key = pic.key;
        PERFORM tintype.discard(old.object, pic.source, pic.key);
    ELSIF NOT host.wanted THEN
        SELECT l.outcome, l.detail INTO outcome, detail FROM tintype.leave_out(src, pic.key, old, host.shown) l;
    ELSIF host.content IS DISTINCT FROM pic.content THEN
        outcome := 'changed';
        UPDATE tintype.job j SET revision = j.revision + 1 WHERE j.source = pic.source AND j.key = pic.key;
    ELSIF NOT tintype.reclaim(pic.object, token) THEN
        outcome := 'removed';
        UPDATE tintype.job j SET revision = j.revision + 1, due_at = now() + interval '5 seconds' WHERE j.source = pic.source AND j.key = pic.key;
    ELSE
        SELECT r.outcome, r.detail INTO outcome, detail FROM tintype.record(src, pic, old, host.shown) r;
    END IF;
    IF outcome = 'locked' THEN
        RETURN;
    ELSIF outcome IN ('gone', 'unpublished', 'changed') AND pic.object IS DISTINCT FROM old.object THEN
        PERFORM tintype.discard(pic.object, pic.source, pic.key);  -- stored for nothing
    END IF;
    PERFORM tintype.finish(pic.source, pic.key);
END $$;

-- Tells listeners on channel tintype_image of one picture. A notification holds 8000 bytes: where the key or the URL is longer than
-- any should be, the listener is told of the table alone.
CREATE OR REPLACE FUNCTION tintype.announce(image_source integer, image_key text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_notify('tintype_image', CASE WHEN octet_length(told.text) < 8000 THEN told.text
                                           ELSE json_build_object('source', told.source, 'key', NULL, 'state', told.state, 'url', NULL)::text END)
      FROM (SELECT s.name AS source, i.state,
                   json_build_object('source', s.name, 'key', i.key, 'state', i.state, 'url', i.url)::text AS text
              FROM tintype.image i JOIN tintype.source s ON s.id = i.source
             WHERE i.source = image_source AND i.key = image_key) told
$$;

-- Publishes a batch: an array of tintype.image rows as JSON, each with the `lease` it was drawn under. In key order, so that
-- two workers' batches cannot deadlock. `announce` tells listeners on channel tintype_image (source, key, state, url); commits
-- that notify take turns, the host's too, so it is done only on request, once a batch and without waiting for a flush.
-- All its rows stay locked until the end, so that after two seconds the rest is left for another call, and does not come back.
CREATE OR REPLACE FUNCTION tintype.publish(batch jsonb, announce boolean DEFAULT false)
RETURNS TABLE (source integer, key text, outcome text, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    one   jsonb;
    pic   tintype.image;
    begun timestamptz := clock_timestamp();
BEGIN
    -- URL, ledger and the end of the job are one commit: one that a crash forgets is drawn again, to the same bytes.
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR one IN SELECT e FROM jsonb_array_elements(batch) AS e ORDER BY (e ->> 'source')::integer, e ->> 'key' LOOP
        EXIT WHEN clock_timestamp() > begun + interval '2 seconds';
        pic := jsonb_populate_record(NULL::tintype.image, one);
        source := pic.source;
        key := pic.key;
        SELECT p.outcome, p.detail INTO outcome, detail FROM tintype.publish_one(pic, (one ->> 'lease')::bigint) p;
        IF announce AND outcome IN ('published', 'kept', 'refused', 'unpublished') THEN
            PERFORM tintype.announce(pic.source, pic.key);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
