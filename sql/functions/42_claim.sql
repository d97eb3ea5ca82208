-- Claims: which jobs a worker takes, for how long, and how it gives them back.

-- Takes up to `slots` due jobs for `worker`. The lease runs by this database's clock; each claim has a fresh token: the next number,
-- and 20 bits of chance behind it, because a crash of the server may set the sequence back.
-- A job whose lease ran out is taken again, and its worker's death counted; after the third it is left to park(). Such a suspect
-- is never in one worker's hands with another, so that a deadly row convicts itself alone and not those claimed beside it.
-- At most `pages` of them are for the browser, which is slow: cards do not wait for it.
-- Source by source, so that a paused one with a million jobs costs nothing; the locks on those that are not taken end with the call.
-- In plpgsql, which plans once a session; the settings see to it that the plan walks the index whatever the statistics say.
CREATE OR REPLACE FUNCTION tintype.claim(worker integer, slots integer, lease_seconds integer, pages integer DEFAULT 1000000)
RETURNS SETOF tintype.job LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);  -- a claim that a crash forgets is claimed again
    RETURN QUERY WITH picked AS MATERIALIZED (
        SELECT due.*, tintype.by_browser(s.draw) AS page FROM tintype.source s
         CROSS JOIN LATERAL (
                SELECT w.ctid AS place, w.priority, w.due_at, w.deaths > 0 OR w.lease_until IS NOT NULL AS suspect
                  FROM tintype.job w
                 WHERE w.source = s.id AND w.due_at <= now() AND (w.lease_until IS NULL OR (w.lease_until < now() AND w.deaths < 2))
                 ORDER BY w.priority, w.due_at LIMIT CASE WHEN tintype.by_browser(s.draw) THEN least(slots, pages) ELSE slots END
                   FOR UPDATE SKIP LOCKED) due
         WHERE NOT s.paused
    ), fitting AS (
        SELECT p.*, row_number() OVER (PARTITION BY p.page ORDER BY p.priority, p.due_at) AS of_kind FROM picked p
    ), ranked AS (
        SELECT p.*, row_number() OVER (PARTITION BY p.suspect ORDER BY p.priority, p.due_at) AS nth FROM (
            SELECT f.* FROM fitting f WHERE NOT f.page OR f.of_kind <= pages ORDER BY f.priority, f.due_at LIMIT slots) p
    )
    UPDATE tintype.job j
       SET lease = (nextval('tintype.lease') << 20) + (random() * 1048575)::bigint, owner = worker, lease_until = now() + make_interval(secs => lease_seconds),
           claimed_revision = j.revision, deaths = j.deaths + (j.lease_until IS NOT NULL)::integer
     WHERE j.ctid = ANY (ARRAY(
            SELECT r.place FROM ranked r
             WHERE NOT r.suspect
                OR (r.nth = 1 AND NOT EXISTS (SELECT FROM tintype.job h WHERE h.owner = worker AND h.lease_until >= now() AND h.deaths > 0))))
    RETURNING j.*;
END $$;

-- Prolongs the claims of `worker` that have not run out, with its heartbeat; returns their tokens. A job whose token is missing has
-- another owner by now, or none, and its worker stops it. Those that it does not hold (NULL: it does not say) run out: their claim never
-- reached it, or their job ended badly. Locks in key order, as the fold does.
DROP FUNCTION IF EXISTS tintype.extend(integer, integer);
CREATE OR REPLACE FUNCTION tintype.extend(worker integer, seconds integer, holds bigint[] DEFAULT NULL)
RETURNS SETOF bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT set_config('synchronous_commit', 'off', true);  -- one that a crash forgets runs out earlier
    WITH mine AS MATERIALIZED (
        SELECT j.source, j.key FROM tintype.job j
         WHERE j.owner = worker AND j.lease_until >= now() AND (holds IS NULL OR j.lease = ANY (holds)) ORDER BY j.source, j.key FOR UPDATE
    )
    UPDATE tintype.job j SET lease_until = now() + make_interval(secs => seconds)
      FROM mine m WHERE j.source = m.source AND j.key = m.key
    RETURNING j.lease
$$;

-- Gives claimed jobs back at once, without charging an attempt: what a worker does on shutdown. Locks them in key order, as
-- the fold does, so that the two cannot deadlock.
CREATE OR REPLACE FUNCTION tintype.release(worker integer)
RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH mine AS MATERIALIZED (
        SELECT j.source, j.key FROM tintype.job j WHERE j.owner = worker ORDER BY j.source, j.key FOR UPDATE
    ), freed AS (
        UPDATE tintype.job j SET lease = NULL, owner = NULL, lease_until = NULL
          FROM mine m WHERE j.source = m.source AND j.key = m.key RETURNING j.source, j.key)
    SELECT count(*) + 0 * count(tintype.say_pending(f.source, f.key)) FROM freed f
$$;

-- Puts a job back for `seconds`, with the reason. `charge` counts it as a failure of the job's own. Without a reason it has only let
-- others go first: what is on record stays, and the host's row is left alone.
CREATE OR REPLACE FUNCTION tintype.retry_later(job_source integer, job_key text, job_lease bigint, seconds double precision, charge boolean, reason text)
RETURNS boolean LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH put_back AS (
        UPDATE tintype.job j
           SET lease = NULL, owner = NULL, lease_until = NULL, deaths = 0, attempt = j.attempt + charge::integer, last_error = coalesce(reason, j.last_error),
               due_at = CASE WHEN j.revision > j.claimed_revision THEN now() ELSE now() + make_interval(secs => seconds) END
         WHERE j.source = job_source AND j.key = job_key AND j.lease = job_lease RETURNING j.source, j.key)
    SELECT count(*) = 1 AND count(CASE WHEN reason IS NOT NULL THEN tintype.say_pending(p.source, p.key) END) >= 0 FROM put_back p
$$;

-- Numbers under which jobs wait whose table was detached by one with an old snapshot. Looks at one job a number, however many wait.
CREATE OR REPLACE FUNCTION tintype.orphans()
RETURNS SETOF integer LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE known (source) AS (
        SELECT min(j.source) FROM tintype.job j
        UNION ALL
        SELECT (SELECT min(j.source) FROM tintype.job j WHERE j.source > k.source) FROM known k WHERE k.source IS NOT NULL
    )
    SELECT k.source FROM known k WHERE k.source NOT IN (SELECT s.id FROM tintype.source s)
$$;

-- Records jobs that have cost three workers their lives as failed, so that they are not handed round for ever: with the content
-- that they died of, or the sweep would mark them again. A row that was marked meanwhile gets another chance.
CREATE OR REPLACE FUNCTION tintype.park()
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    poison record;
    deadly text;
    parked bigint := 0;
BEGIN
    DELETE FROM tintype.job j WHERE j.source IN (SELECT tintype.orphans());
    PERFORM FROM tintype.job j WHERE j.lease_until < now() AND j.deaths >= 2 ORDER BY j.source, j.key FOR UPDATE;  -- in the fold's order
    IF NOT FOUND THEN
        RETURN 0;  -- as nearly always, and each look is at every job
    END IF;
    UPDATE tintype.job j SET lease = NULL, owner = NULL, lease_until = NULL, deaths = 0
     WHERE j.lease_until < now() AND j.deaths >= 2 AND j.revision > j.claimed_revision;
    FOR poison IN DELETE FROM tintype.job j WHERE j.lease_until < now() AND j.deaths >= 2 RETURNING j.source, j.key LOOP
        BEGIN
            SELECT r.content INTO deadly FROM tintype.source s, tintype.read_row(s, poison.key) r WHERE s.id = poison.source;
        EXCEPTION WHEN OTHERS THEN
            deadly := NULL;  -- the table cannot be read any more
        END;
        INSERT INTO tintype.image AS i (source, key, state, reason, content)
        VALUES (poison.source, poison.key, 'failed', 'three workers died while drawing this row', deadly)
        ON CONFLICT (source, key) DO UPDATE SET
            state = 'failed', reason = excluded.reason, content = excluded.content, template = NULL, in_row = false, outside = false, updated_at = now();
        PERFORM tintype.write_status(s, poison.key, 'failed') FROM tintype.source s WHERE s.id = poison.source AND s.status_column IS NOT NULL;
        parked := parked + 1;
    END LOOP;
    RETURN parked;
END $$;
