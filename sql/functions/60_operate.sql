-- What an operator asks and says: pause, resume, retry, status, queue depth, the picture of a row.

-- Stops the drawing for one table; its changes go on being marked. With `triggers` these go as well, so that a migration may change the
-- type of a column that they watch; settings, ledger and waiting jobs stay.
DROP FUNCTION IF EXISTS tintype.pause(regclass);
CREATE OR REPLACE FUNCTION tintype.pause(relation regclass, triggers boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
    src tintype.source := tintype.attached(relation);
BEGIN
    UPDATE tintype.source s SET paused = true WHERE s.id = src.id;
    IF triggers THEN
        PERFORM tintype.drop_triggers(src);
    END IF;
EXCEPTION WHEN lock_not_available THEN
    PERFORM tintype.complain_of_lock(relation);
END $$;

-- Goes on with it. Triggers that are gone or switched off are made again, where the columns are still those of before, and the sweep, which compares rows
-- with the ledger, begins at once: it finds what was edited meanwhile. Rows that are new since then are for `tintype backfill`. Returns
-- whether that was so.
DROP FUNCTION IF EXISTS tintype.resume(regclass);
CREATE OR REPLACE FUNCTION tintype.resume(relation regclass)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
    src     tintype.source := tintype.attached(relation);
    without boolean := tintype.unwatched(src);
    keys    text[];
BEGIN
    IF without THEN
        SELECT array_agg(format_type(a.atttypid, NULL) ORDER BY k.n) INTO keys
          FROM unnest(src.key_columns) WITH ORDINALITY k(name, n) JOIN pg_attribute a ON a.attrelid = src.relation AND a.attname = k.name AND NOT a.attisdropped;
        IF keys IS DISTINCT FROM src.key_types THEN
            RAISE EXCEPTION 'the key of % is another one now', src.name
                USING ERRCODE = 'invalid_parameter_value', HINT = format('tintype attach %s --key ...', src.name);
        END IF;
        EXECUTE format('SELECT %s, %s FROM %s x LIMIT 0', tintype.wanted_sql(src), tintype.content_sql(src, 'x'), src.relation);
        PERFORM tintype.make_triggers(src);
        UPDATE tintype.source s SET swept_at = '-infinity', swept_to = NULL, pruned_to = NULL WHERE s.id = src.id;
    END IF;
    UPDATE tintype.source s SET paused = false WHERE s.id = src.id;
    PERFORM pg_notify('tintype', '');  -- whether the bell is up or not: nobody waits for this transaction before falling asleep
    RETURN without;
EXCEPTION
    WHEN lock_not_available THEN
        PERFORM tintype.complain_of_lock(relation);
    WHEN undefined_column THEN
        RAISE EXCEPTION '% (%)', SQLERRM, src.name USING ERRCODE = 'undefined_column', HINT = format('tintype attach %s with the columns that it has now', src.name);
END $$;

-- Lets a role of the application's read pictures: tintype.image as a table, and tintype.image('posts', 42).
CREATE OR REPLACE FUNCTION tintype.grant_reader(role name)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one regprocedure;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA tintype TO %1$I; GRANT SELECT ON tintype.image, tintype.source, tintype.status, tintype.queue_depth TO %1$I', role);
    FOR one IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace AND p.proname = 'image' LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', one, role);
    END LOOP;
END $$;

-- Draws again what failed, and tries at once what waits for its next attempt: everywhere (NULL), in one source, for one key, of one
-- cause (tintype.cause). Returns how many rows were marked.
CREATE OR REPLACE FUNCTION tintype.try_again(wanted_source integer, wanted_key text, wanted_cause text, urgency smallint)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    marked bigint;
BEGIN
    PERFORM FROM tintype.image i
      WHERE i.state = 'failed' AND (wanted_source IS NULL OR i.source = wanted_source) AND (wanted_key IS NULL OR i.key = wanted_key)
        AND (wanted_cause IS NULL OR tintype.cause(i.reason) = wanted_cause)
      ORDER BY i.source, i.key FOR UPDATE;  -- as publishers lock them
    WITH again AS (
        UPDATE tintype.image i SET content = NULL
         WHERE i.state = 'failed' AND (wanted_source IS NULL OR i.source = wanted_source) AND (wanted_key IS NULL OR i.key = wanted_key)
           AND (wanted_cause IS NULL OR tintype.cause(i.reason) = wanted_cause)
        RETURNING i.source, i.key
    ), waiting AS (
        SELECT j.source, j.key FROM tintype.job j
         WHERE j.last_error IS NOT NULL AND (wanted_source IS NULL OR j.source = wanted_source) AND (wanted_key IS NULL OR j.key = wanted_key)
           AND (wanted_cause IS NULL OR tintype.cause(j.last_error) = wanted_cause)
    ), mark AS (
        INSERT INTO tintype.change (source, key, priority)
        SELECT f.source, f.key, urgency FROM (SELECT * FROM again UNION SELECT * FROM waiting) f RETURNING source, key)
    SELECT count(*) + 0 * count(CASE WHEN m.nth <= 1000 THEN tintype.say_pending(m.source, m.key) END) INTO marked
      FROM (SELECT *, row_number() OVER () AS nth FROM mark) m;  -- the host's rows stay locked until we end: those beyond say so when it is their turn
    PERFORM tintype.ring();
    RETURN marked;
END $$;

-- Draws again what failed, and tries at once what waits for its next attempt: everywhere, in one table, or for one key.
CREATE OR REPLACE FUNCTION tintype.retry(relation regclass DEFAULT NULL, key text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN tintype.try_again(CASE WHEN retry.relation IS NOT NULL THEN (tintype.attached(retry.relation)).id END, retry.key, NULL, 0::smallint);
END $$;

-- The ledger's entry of one row: tintype.image('posts', 42), or with an array literal for a key of several columns.
CREATE OR REPLACE FUNCTION tintype.image(relation regclass, key text)
RETURNS SETOF tintype.image LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.* FROM tintype.image i JOIN tintype.source s ON s.id = i.source WHERE s.relation = $1 AND i.key = $2
$$;

CREATE OR REPLACE FUNCTION tintype.image(relation regclass, key bigint)
RETURNS SETOF tintype.image LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT tintype.image($1, $2::text) $$;

CREATE OR REPLACE FUNCTION tintype.image(relation regclass, key uuid)
RETURNS SETOF tintype.image LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT tintype.image($1, $2::text) $$;

CREATE OR REPLACE FUNCTION tintype.image(relation regclass, VARIADIC key text[])
RETURNS SETOF tintype.image LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT tintype.image($1, $2::text) $$;

-- How much is waiting or under way: one integer, what a scaler reads. Jobs of paused tables do not count.
CREATE OR REPLACE VIEW tintype.queue_depth AS
    SELECT coalesce(sum(w.waiting), 0)::bigint AS depth
      FROM (SELECT c.source, count(*) AS waiting FROM tintype.change c GROUP BY c.source
            UNION ALL SELECT j.source, count(*) FROM tintype.job j GROUP BY j.source) w  -- counted before they are joined: an index alone, and no row
      JOIN tintype.source s ON s.id = w.source AND NOT s.paused;

-- One row for each attached table: what is made, what is to do, and how it goes.
CREATE OR REPLACE VIEW tintype.status AS
    SELECT s.name AS source,
           CASE WHEN c.oid IS NULL THEN 'table dropped' WHEN s.paused THEN 'paused' WHEN s.problem IS NOT NULL OR gone.name IS NOT NULL THEN 'broken' ELSE 'watching' END AS state,
           coalesce(i.ready, 0) AS ready, coalesce(i.skipped, 0) AS skipped, coalesce(i.failed, 0) AS failed,
           coalesce(m.marks, 0) + coalesce(j.pending, 0) AS pending,
           coalesce(j.processing, 0) AS processing, coalesce(j.retrying, 0) AS retrying,
           greatest(now() - least(m.oldest, j.oldest), interval '0') AS oldest_age,
           coalesce('column ' || quote_ident(gone.name) || ' is not there any more', s.problem, j.last_error, i.last_failure) AS last_error, i.last_rendered_at, s.swept_at,
           (SELECT count(*) FROM tintype.worker w WHERE w.seen_at > now() - interval '1 minute') AS workers,
           coalesce(i.marked, 0) AS marked  -- ready, with marks in place of characters that no font has
      FROM tintype.source s
      LEFT JOIN pg_catalog.pg_class c ON c.oid = s.relation
      LEFT JOIN LATERAL (SELECT min(n.name) AS name  -- a column that is read or written, and was dropped or renamed
                           FROM unnest(s.key_columns || s.data_columns || ARRAY[s.body_column, s.title_column, s.author_column, s.date_column, s.tags_column,
                                                                                s.look_column, s.image_column, s.status_column]) AS n(name)
                          WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped)) gone
             ON c.oid IS NOT NULL
      LEFT JOIN (SELECT source, count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'skipped') AS skipped,
                        count(*) FILTER (WHERE state = 'failed') AS failed,
                        count(*) FILTER (WHERE state = 'ready' AND reason IS NOT NULL) AS marked, max(rendered_at) AS last_rendered_at,
                        (array_agg(reason ORDER BY updated_at DESC) FILTER (WHERE state = 'failed'))[1] AS last_failure
                   FROM tintype.image GROUP BY source) i ON i.source = s.id
      LEFT JOIN (SELECT source, count(*) AS marks, min(at) AS oldest FROM tintype.change GROUP BY source) m ON m.source = s.id
      LEFT JOIN (SELECT source, min(marked_at) AS oldest,
                        count(*) FILTER (WHERE lease_until >= now()) AS processing,
                        count(*) FILTER (WHERE lease_until IS NULL AND last_error IS NOT NULL) AS retrying,
                        count(*) FILTER (WHERE lease_until < now() OR (lease_until IS NULL AND last_error IS NULL)) AS pending,
                        (array_agg(last_error ORDER BY due_at DESC) FILTER (WHERE last_error IS NOT NULL))[1] AS last_error
                   FROM tintype.job GROUP BY source) j ON j.source = s.id
     ORDER BY s.name;
