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

-- Whether there is anything to do now, and how many seconds until the next job falls due (NULL: none waits).
CREATE OR REPLACE FUNCTION tintype.outlook(OUT work boolean, OUT next_due double precision)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM tintype.change)
           OR coalesce(min(due) <= now(), false),
           date_part('epoch', min(due) - now())
      FROM (SELECT min(greatest(j.due_at, j.lease_until)) AS due
              FROM tintype.job j JOIN tintype.source s ON s.id = j.source AND NOT s.paused) waiting
$$;
