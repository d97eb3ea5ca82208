-- What the live page and the metrics show. All of it reads and nothing writes, but for retry_cause at the end.

-- How much waits, in one cheap statement: marks and jobs of tables that are not paused, the seconds since the oldest of them was
-- made, those that a backfill made; the workers of the last minute, and its pictures.
CREATE OR REPLACE FUNCTION tintype.load(
    OUT depth bigint, OUT oldest_age double precision, OUT backfill bigint, OUT workers bigint, OUT recent bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.n + j.n, greatest(coalesce(date_part('epoch', now() - least(m.oldest, j.oldest)), 0), 0), m.backfill + j.backfill,
           (SELECT count(*) FROM tintype.worker w WHERE w.seen_at > now() - interval '1 minute'),
           (SELECT count(*) FROM tintype.image i WHERE i.updated_at > now() - interval '1 minute' AND i.state = 'ready')
      FROM (SELECT count(*) AS n, min(c.at) AS oldest, count(*) FILTER (WHERE c.priority >= 10) AS backfill
              FROM tintype.change c JOIN tintype.source s ON s.id = c.source AND NOT s.paused) m,
           (SELECT count(*) AS n, min(j.marked_at) AS oldest, count(*) FILTER (WHERE j.priority >= 10) AS backfill
              FROM tintype.job j JOIN tintype.source s ON s.id = j.source AND NOT s.paused) j
$$;

-- One row for each row that has an entry in the ledger or a job: its state now, its picture, its job.
CREATE OR REPLACE VIEW tintype.entry AS
    SELECT s.id AS source_id, s.name AS source, i.key,
           CASE WHEN j.lease_until >= now() THEN 'processing' WHEN j.key IS NOT NULL THEN 'pending' ELSE i.state END AS state,
           CASE WHEN j.key IS NULL THEN i.reason ELSE j.last_error END AS reason,
           i.content, i.template, i.url, i.object, i.width, i.height, i.bytes, i.media_type, i.kind, i.engine, i.alt, i.in_row, i.outside, i.rendered_at,
           greatest(i.updated_at, j.marked_at) AS at, coalesce(j.attempt, 0) AS attempt, coalesce(j.deaths, 0) AS deaths, j.due_at
      FROM tintype.image i JOIN tintype.source s ON s.id = i.source
      LEFT JOIN tintype.job j ON j.source = i.source AND j.key = i.key
    UNION ALL
    SELECT s.id, s.name, j.key, CASE WHEN j.lease_until >= now() THEN 'processing' ELSE 'pending' END, j.last_error,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, NULL, j.marked_at, j.attempt, j.deaths, j.due_at
      FROM tintype.job j JOIN tintype.source s ON s.id = j.source
     WHERE NOT EXISTS (SELECT FROM tintype.image i WHERE i.source = j.source AND i.key = j.key);

-- The wall: the newest entries, and of each table the jobs that are under way or next, newest first. By indexes alone (OFFSET 0 keeps the
-- planner from joining the whole view: 4 ms against 1.5 s with 300,000 entries), however much
-- there is: this is asked four times a second at most, while somebody looks.
CREATE OR REPLACE FUNCTION tintype.wall(most integer DEFAULT 48, ahead integer DEFAULT 6)
RETURNS SETOF tintype.entry LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    WITH shown AS MATERIALIZED (
        (SELECT i.source, i.key FROM tintype.image i ORDER BY i.updated_at DESC LIMIT most)
        UNION
        SELECT j.source, j.key FROM tintype.source s
         CROSS JOIN LATERAL (SELECT w.source, w.key FROM tintype.job w WHERE w.source = s.id ORDER BY w.priority, w.due_at LIMIT ahead) j
         WHERE NOT s.paused
    )
    SELECT e.* FROM shown w CROSS JOIN LATERAL (SELECT * FROM tintype.entry x WHERE x.source_id = w.source AND x.key = w.key OFFSET 0) e
     ORDER BY e.at DESC, e.source, e.key LIMIT most
$$;

-- Entries that a person looks for: by key, by words of their text alternative or reason, by state, by table; NULL asks for all.
CREATE OR REPLACE FUNCTION tintype.search(words text, wanted_state text, wanted_source text, most integer DEFAULT 96)
RETURNS SETOF tintype.entry LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT e.* FROM tintype.entry e
     WHERE (words IS NULL OR e.key = words OR strpos(lower(e.alt), lower(words)) > 0 OR strpos(lower(e.reason), lower(words)) > 0)
       AND (wanted_state IS NULL OR e.state = wanted_state) AND (wanted_source IS NULL OR e.source = wanted_source)
     ORDER BY e.key = words DESC, e.at DESC LIMIT most
$$;

-- What reasons have in common: without the names, addresses and numbers that are a row's own.
CREATE OR REPLACE FUNCTION tintype.cause(reason text)
RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(regexp_replace(regexp_replace(reason, '`[^`]*`|"[^"]*"|https?://[^[:space:]]+', '*', 'g'), '[0-9]+', '#', 'g'), 300)
$$;

-- What has failed, by cause: for good until the row or its source changes (`permanent`), or until the next attempt. With an example's
-- own words and up to five rows.
CREATE OR REPLACE FUNCTION tintype.failures(most integer DEFAULT 100)
RETURNS TABLE (permanent boolean, cause text, rows bigint, example text, sources text[], keys bytea[], latest timestamptz, next_due timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT f.permanent, tintype.cause(f.reason), count(*), (array_agg(f.reason ORDER BY f.at DESC))[1],
           (array_agg(f.source ORDER BY f.at DESC, f.key))[1:5], (array_agg(tintype.bytes(f.key) ORDER BY f.at DESC, f.key))[1:5], max(f.at), min(f.due_at)
      FROM (SELECT true AS permanent, s.name AS source, i.key, i.reason, i.updated_at AS at, NULL::timestamptz AS due_at
              FROM tintype.image i JOIN tintype.source s ON s.id = i.source
             WHERE i.state = 'failed' AND NOT EXISTS (SELECT FROM tintype.job j WHERE j.source = i.source AND j.key = i.key)
            UNION ALL
            SELECT false, s.name, j.key, j.last_error, j.marked_at, j.due_at
              FROM tintype.job j JOIN tintype.source s ON s.id = j.source WHERE j.last_error IS NOT NULL) f
     GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC, 2 LIMIT most
$$;

-- Tries again what has failed with one cause, as tintype.retry does, behind what is edited meanwhile; returns how many rows.
CREATE OR REPLACE FUNCTION tintype.retry_cause(wanted text)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    marked bigint;
BEGIN
    PERFORM FROM tintype.image i WHERE i.state = 'failed' AND tintype.cause(i.reason) = wanted ORDER BY i.source, i.key FOR UPDATE;  -- as publishers lock them
    WITH again AS (
        UPDATE tintype.image i SET content = NULL WHERE i.state = 'failed' AND tintype.cause(i.reason) = wanted RETURNING i.source, i.key
    ), waiting AS (
        SELECT j.source, j.key FROM tintype.job j WHERE j.last_error IS NOT NULL AND tintype.cause(j.last_error) = wanted
    ), mark AS (
        INSERT INTO tintype.change (source, key, priority) SELECT source, key, 10 FROM again UNION SELECT source, key, 10 FROM waiting RETURNING source, key)
    SELECT count(*) + 0 * count(CASE WHEN m.nth <= 1000 THEN tintype.say_pending(m.source, m.key) END) INTO marked
      FROM (SELECT *, row_number() OVER () AS nth FROM mark) m;  -- the host's rows stay locked until we end: those beyond say so when it is their turn
    PERFORM tintype.ring();
    RETURN marked;
END $$;
