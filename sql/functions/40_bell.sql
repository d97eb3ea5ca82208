-- The bell: host writes notify only while a worker sleeps. NOTIFY takes one database-wide lock through the commit's flush, so
-- a trigger that always notified would cost a busy host its group commit.
--
-- The flag is a sequence, because a sequence is read and written outside of snapshots. Its value is a lease, the epoch second
-- until which somebody sleeps, so that a sleeper that dies costs the host notifications for seconds only. Falling asleep:
--   1. set_bell;  2. wait until every transaction in marks_in_flight() has ended (they may have read the bell before);
--   3. look for work once more with a fresh snapshot;  4. block on LISTEN.
-- The trigger inserts before it reads the bell, the sleeper sets the bell before it looks: one always sees the other.

-- Sets the bell for `seconds` from now; 0 takes it down. Says whether it is up: never where the host may use two-phase commit,
-- since a transaction that has notified cannot be prepared. Workers poll there.
CREATE OR REPLACE FUNCTION tintype.set_bell(seconds integer)
RETURNS boolean LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT setval('tintype.bell'::regclass,
                  CASE WHEN seconds > 0 AND current_setting('max_prepared_transactions') = '0'
                       THEN date_part('epoch', clock_timestamp())::bigint + seconds ELSE 0 END) > 0
$$;

-- The open transactions that have written to tintype.change, by their virtual ids (prepared ones by their own).
CREATE OR REPLACE FUNCTION tintype.marks_in_flight()
RETURNS text[] LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(l.virtualtransaction), '{}')
      FROM pg_locks l
     WHERE l.locktype = 'relation' AND l.relation = 'tintype.change'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.pid IS DISTINCT FROM pg_backend_pid()
$$;

-- Wakes the sleepers, if there are any: for marks that no trigger made.
CREATE OR REPLACE FUNCTION tintype.ring()
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_notify('tintype', '') WHERE pg_sequence_last_value('tintype.bell'::regclass) > date_part('epoch', clock_timestamp())::bigint
$$;

-- Whether there is anything to do now, and how many seconds until the next job falls due (NULL: none waits; unknown where there is
-- something to do). The second takes a look at every job of what is not paused, so the first is asked alone, which the index answers.
CREATE OR REPLACE FUNCTION tintype.outlook(OUT work boolean, OUT next_due double precision)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    work := EXISTS (SELECT FROM tintype.change)
         OR EXISTS (SELECT FROM tintype.source s
                     CROSS JOIN LATERAL (SELECT FROM tintype.job j
                                          WHERE j.source = s.id AND j.due_at <= now() AND (j.lease_until IS NULL OR j.lease_until <= now())
                                          LIMIT 1) due
                     WHERE NOT s.paused);
    IF NOT work THEN
        SELECT date_part('epoch', min(ahead.due) - now()) INTO next_due
          FROM tintype.source s
         CROSS JOIN LATERAL (SELECT min(greatest(j.due_at, j.lease_until)) AS due FROM tintype.job j WHERE j.source = s.id) ahead
         WHERE NOT s.paused;
    END IF;
END $$;

-- A sign of life, with how many pictures a minute the worker could make as far as it knows; the row comes back where others took it for
-- a dead one's after a long outage.
DROP FUNCTION IF EXISTS tintype.beat(integer, text, text);
CREATE OR REPLACE FUNCTION tintype.beat(worker integer, worker_name text, worker_version text, card_pace double precision DEFAULT NULL, page_pace double precision DEFAULT NULL)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT set_config('synchronous_commit', 'off', true);  -- one that a crash forgets comes again
    INSERT INTO tintype.worker AS w (id, name, version, card_pace, page_pace) OVERRIDING SYSTEM VALUE VALUES (worker, worker_name, worker_version, $4, $5)
    ON CONFLICT (id) DO UPDATE SET seen_at = now(), card_pace = coalesce(excluded.card_pace, w.card_pace), page_pace = coalesce(excluded.page_pace, w.page_pace)
$$;

-- Takes a worker's row away; what it could is remembered for as long as nobody is at work.
CREATE OR REPLACE FUNCTION tintype.say_goodbye(worker integer, card_pace double precision, page_pace double precision)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM tintype.worker w WHERE w.id = worker;
    UPDATE tintype.instance i SET card_pace = coalesce($2, i.card_pace), page_pace = coalesce($3, i.page_pace) WHERE coalesce($2, $3) IS NOT NULL;
$$;

-- Steps 1 to 3 in one statement, and a sign of life with it: all that a sleeper says twice a minute. `up` as set_bell says;
-- where marks are `in_flight`, step 2 is not over and `work` tells nothing yet. `chores` says that maintenance has something to do.
-- Each statement in here has a snapshot of its own, younger than the bell, because workers' sessions are READ COMMITTED.
DROP FUNCTION IF EXISTS tintype.doze(integer, text, text, integer);
CREATE OR REPLACE FUNCTION tintype.doze(
    worker integer, worker_name text, worker_version text, seconds integer, card_pace double precision DEFAULT NULL, page_pace double precision DEFAULT NULL,
    OUT up boolean, OUT in_flight text[], OUT work boolean, OUT next_due double precision, OUT chores boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM tintype.beat(worker, worker_name, worker_version, card_pace, page_pace);
    up := tintype.set_bell(seconds);
    in_flight := tintype.marks_in_flight();
    SELECT o.work, o.next_due INTO work, next_due FROM tintype.outlook() o;
    chores := EXISTS (SELECT FROM tintype.due_sweeps())
           OR EXISTS (SELECT FROM tintype.orphans())
           OR EXISTS (SELECT FROM tintype.source s
                       CROSS JOIN LATERAL (SELECT FROM tintype.job j WHERE j.source = s.id AND j.lease_until < now() AND j.deaths >= 2 LIMIT 1) poison
                       WHERE NOT s.paused)  -- what a paused table has waits for it to be resumed
           OR EXISTS (SELECT FROM tintype.worker w WHERE w.seen_at < now() - interval '1 hour');
END $$;
