-- What the live page and the metrics show. All of it reads and nothing writes, but for retry_cause at the end.

-- How much waits: marks and jobs of tables that are not paused, the seconds since the oldest of them was made, those that a backfill
-- made; the workers of the last minute, and its pictures. The jobs are counted in an index alone (300,000 of them: 30 ms and 240 pages
-- for 240 ms and 5,200), whatever the statistics say. Their ages are not in it: they are asked of the two thousand that are next in each
-- table, and of as many that a backfill made; what has waited longest is among them, but for an edit that waits out its failures behind more.
CREATE OR REPLACE FUNCTION tintype.load(
    OUT depth bigint, OUT oldest_age double precision, OUT backfill bigint, OUT workers bigint, OUT recent bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0 SET jit = off AS $$
    SELECT m.n + j.n, greatest(coalesce(date_part('epoch', now() - least(m.oldest, j.oldest)), 0), 0), m.backfill + j.backfill,
           (SELECT count(*) FROM tintype.worker w WHERE w.seen_at > now() - interval '1 minute'),
           (SELECT count(*) FROM tintype.image i WHERE i.updated_at > now() - interval '1 minute' AND i.state = 'ready')
      FROM (SELECT count(*) AS n, min(c.at) AS oldest, count(*) FILTER (WHERE c.priority >= 10) AS backfill
              FROM tintype.change c JOIN tintype.source s ON s.id = c.source AND NOT s.paused) m,
           (SELECT coalesce(sum(counted.n), 0)::bigint AS n, coalesce(sum(counted.backfill), 0)::bigint AS backfill, min(next.oldest) AS oldest
              FROM tintype.source s
             CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE w.priority >= 10) AS backfill FROM tintype.job w WHERE w.source = s.id) counted
             CROSS JOIN LATERAL (
                SELECT min(w.marked_at) AS oldest FROM (
                    (SELECT q.marked_at FROM tintype.job q WHERE q.source = s.id ORDER BY q.priority, q.due_at LIMIT 2000)
                    UNION ALL
                    (SELECT q.marked_at FROM tintype.job q WHERE q.source = s.id AND q.priority >= 10 ORDER BY q.priority, q.due_at LIMIT 2000)) w) next
             WHERE NOT s.paused) j
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

-- Entries that a person looks for: by key, by words of their text alternative or reason, by state, by table; NULL asks for all. Words of
-- a title are looked for by search_titles, below.
CREATE OR REPLACE FUNCTION tintype.search(words text, wanted_state text, wanted_source text, most integer DEFAULT 96)
RETURNS SETOF tintype.entry LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT e.* FROM tintype.entry e
     WHERE (words IS NULL OR e.key = words OR strpos(lower(e.alt), lower(words)) > 0 OR strpos(lower(e.reason), lower(words)) > 0)
       AND (wanted_state IS NULL OR e.state = wanted_state) AND (wanted_source IS NULL OR e.source = wanted_source)
     ORDER BY e.key = words DESC, e.at DESC LIMIT most
$$;

-- Those whose title, as the host's table says it now, has these words: a look at the tables themselves, which may be long. So it is asked
-- by itself, with a limit on its time, and finds no more than `most` a table. Where the host has an index on trigrams of the title, it serves.
CREATE OR REPLACE FUNCTION tintype.search_titles(words text, wanted_state text, wanted_source text, most integer DEFAULT 96)
RETURNS SETOF tintype.entry LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET timezone = 'UTC' SET datestyle = 'ISO'
    SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    src     tintype.source;
    pattern text := '%' || regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%';
BEGIN
    FOR src IN SELECT s.* FROM tintype.source s JOIN pg_class c ON c.oid = s.relation
                WHERE s.title_column IS NOT NULL AND (wanted_source IS NULL OR s.name = wanted_source) ORDER BY s.name LOOP
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT e.* FROM (SELECT %s AS key FROM %s x WHERE x.%I::text ILIKE $1 OFFSET 0) f
                  CROSS JOIN LATERAL (SELECT * FROM tintype.entry y WHERE y.source_id = $2 AND y.key = f.key OFFSET 0) e
                  WHERE $3 IS NULL OR e.state = $3 LIMIT $4', tintype.key_sql(src, 'x'), src.relation, src.title_column)
            USING pattern, src.id, wanted_state, most;
        EXCEPTION WHEN undefined_column OR insufficient_privilege THEN
            NULL;  -- the doctor tells of it
        END;
    END LOOP;
END $$;

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

-- Tries again what has failed with one cause, behind what is edited meanwhile; returns how many rows.
CREATE OR REPLACE FUNCTION tintype.retry_cause(wanted text)
RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT tintype.try_again(NULL, NULL, wanted, 10::smallint) $$;
