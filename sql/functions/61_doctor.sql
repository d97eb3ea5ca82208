-- The doctor: what is wrong in this database, or soon will be, with the statement that mends it. It only looks: nothing is written,
-- locked or tried. Each finding has a code whose first word is the area, and a severity: `error` (pictures are not made, or not all of
-- them), `warning` (it works, and somebody should know) or `note` (how things are). See 62_doctor_tables.sql and 63_doctor_all.sql.

-- What of the server stands in the way.
CREATE OR REPLACE FUNCTION tintype.doctor_server()
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'server.standby', 'error', current_database()::text, 'this server is a standby: it takes no writes, and tintype has to write',
           'tintype doctor --database-url ...   # of the primary, or with target_session_attrs=read-write'
     WHERE pg_is_in_recovery()
    UNION ALL
    SELECT 'server.read_only', 'error', current_user::text, 'sessions of this role are read-only by default',
           format('ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = off;', current_user, current_database())
     WHERE current_setting('default_transaction_read_only') = 'on'
    UNION ALL
    SELECT 'server.autovacuum', 'warning', 'autovacuum', 'autovacuum is off: the queue''s tables will grow and slow down',
           'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();'
     WHERE current_setting('autovacuum') = 'off'
    UNION ALL
    SELECT 'server.replica_role', 'error', coalesce(r.rolname::text, current_database()), 'sessions start with session_replication_role = replica, in which triggers do not fire',
           format('ALTER %s RESET session_replication_role;', concat_ws(' IN DATABASE ', 'ROLE ' || quote_ident(r.rolname), quote_ident(d.datname)))
      FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
     WHERE 'session_replication_role=replica' = ANY (s.setconfig) AND (s.setdatabase = 0 OR d.datname = current_database()) AND s.setrole <> 0
    UNION ALL
    SELECT 'server.replica_role', 'error', current_database(), 'sessions start with session_replication_role = replica, in which triggers do not fire',
           format('ALTER DATABASE %I RESET session_replication_role;', current_database())
      FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
     WHERE 'session_replication_role=replica' = ANY (s.setconfig) AND s.setrole = 0
    UNION ALL
    SELECT 'server.two_phase', 'note', 'max_prepared_transactions', 'two-phase commit is on, and a transaction that notifies cannot be prepared: workers look for work themselves, once a second',
           'ALTER SYSTEM SET max_prepared_transactions = 0;   -- and restart, where nobody needs it'
     WHERE current_setting('max_prepared_transactions') <> '0'
    UNION ALL
    SELECT 'server.notifications', 'error', 'the queue of notifications',
           format('it is full to %s %%: when it is full, every commit that notifies fails; some session listens and sits in a transaction', round((100 * pg_notification_queue_usage())::numeric)),
           'SELECT pid, application_name, xact_start FROM pg_stat_activity WHERE state LIKE ''idle in transaction%'' ORDER BY xact_start;'
     WHERE pg_notification_queue_usage() > 0.25
    UNION ALL
    SELECT 'server.connections', CASE WHEN c.free < 4 THEN 'error' ELSE 'warning' END, c.what,
           format('%s of %s connections are in use; a worker takes four', c.used, c.most), c.fix
      FROM (SELECT 'max_connections' AS what, a.used, a.most, a.most - a.used AS free,
                   format('ALTER SYSTEM SET max_connections = %s;   -- and restart; or a pooler between the application and the database', 2 * current_setting('max_connections')::integer) AS fix
              FROM (SELECT count(*) AS used, current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
                                             - coalesce(current_setting('reserved_connections', true)::integer, 0) AS most
                      FROM pg_stat_activity WHERE backend_type = 'client backend') a
            UNION ALL
            SELECT 'role ' || quote_ident(r.rolname), count(a.pid), r.rolconnlimit, r.rolconnlimit - count(a.pid), format('ALTER ROLE %I CONNECTION LIMIT -1;', r.rolname)
              FROM pg_roles r LEFT JOIN pg_stat_activity a ON a.usesysid = r.oid
             WHERE r.rolconnlimit >= 0 AND (r.rolname = current_user OR r.rolname IN (SELECT tintype.worker_roles())) GROUP BY r.rolname, r.rolconnlimit
            UNION ALL
            SELECT 'database ' || quote_ident(d.datname), count(a.pid), d.datconnlimit, d.datconnlimit - count(a.pid), format('ALTER DATABASE %I CONNECTION LIMIT -1;', d.datname)
              FROM pg_database d LEFT JOIN pg_stat_activity a ON a.datid = d.oid
             WHERE d.datconnlimit >= 0 AND d.datname = current_database() GROUP BY d.datname, d.datconnlimit) c
     WHERE c.free < 4 OR (c.what = 'max_connections' AND c.free < c.most / 10)
$$;

-- What keeps dead rows from being cleared away: transactions older than `patience`, prepared ones, and slots that nobody uses. Of a
-- session of another role a plain role sees no times, only how many transactions have begun since; a million count as old.
CREATE OR REPLACE FUNCTION tintype.doctor_horizon(patience interval)
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    (SELECT 'horizon.transaction', 'warning', concat_ws(' ', 'process', a.pid, '(' || concat_ws(', ', nullif(a.application_name, ''), a.usename, a.datname) || ')'),
            concat_ws(', ', 'a transaction is open ' || coalesce('for ' || date_trunc('second', clock_timestamp() - a.xact_start), 'since ' || age(a.backend_xmin) || ' transactions'),
                            nullif(a.state, 'active')) || ': dead rows stay, and the queue gets slower',
            format('SELECT pg_terminate_backend(%s);', a.pid)
       FROM pg_stat_activity a
      WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
        AND (a.xact_start < clock_timestamp() - patience OR (a.xact_start IS NULL AND age(a.backend_xmin) > 1000000))
      ORDER BY a.xact_start LIMIT 5)
    UNION ALL
    SELECT 'horizon.prepared', 'warning', quote_literal(x.gid), format('a prepared transaction waits for its second phase for %s: dead rows stay', date_trunc('second', now() - x.prepared)),
           format('ROLLBACK PREPARED %L;', x.gid)
      FROM pg_prepared_xacts x WHERE x.prepared < now() - patience
    UNION ALL
    SELECT 'horizon.slot', 'warning', 'replication slot ' || quote_ident(s.slot_name), 'nobody uses it, and it keeps dead rows and write-ahead log',
           format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
      FROM pg_replication_slots s WHERE NOT s.active AND s.xmin IS NOT NULL
$$;

-- What the ledger and the queue say: what waits, what failed and why, and who is at work.
CREATE OR REPLACE FUNCTION tintype.doctor_work(patience interval)
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH status AS MATERIALIZED (SELECT t.*, t.pending + t.processing + t.retrying AS waiting FROM tintype.status t),
    live AS (SELECT w.* FROM tintype.worker w WHERE w.seen_at > now() - interval '1 minute'),
    broken AS (
        SELECT s.name, count(*) AS rows, max(i.reason) AS reason, min(i.key) AS key
          FROM tintype.image i JOIN tintype.source s ON s.id = i.source WHERE i.state = 'failed'
         GROUP BY s.name, regexp_replace(i.reason, '\d+', '0', 'g')
    ), retried AS (
        SELECT s.name, count(*) AS rows, max(j.last_error) AS reason, min(j.key) AS key
          FROM tintype.job j JOIN tintype.source s ON s.id = j.source WHERE j.last_error IS NOT NULL
         GROUP BY s.name, regexp_replace(j.last_error, '\d+', '0', 'g')
    )
    SELECT 'work.nothing', 'note', current_database()::text, 'no table is attached', 'tintype attach TABLE'
     WHERE NOT EXISTS (SELECT FROM tintype.source)
    UNION ALL
    SELECT 'work.no_worker', CASE WHEN sum(s.waiting) > 0 THEN 'error' ELSE 'warning' END, current_database(),
           concat('no worker has been seen for a minute', ', and ' || nullif(sum(s.waiting), 0) || ' rows wait'), 'tintype run --storage s3://bucket/prefix'
      FROM status s HAVING count(*) > 0 AND NOT EXISTS (SELECT FROM live)
    UNION ALL
    SELECT 'work.workers', 'note', current_database(), format('%s at work: %s', count(*), string_agg(format('%s (%s)', l.name, l.version), ', ' ORDER BY l.name)), NULL
      FROM live l HAVING count(*) > 0
    UNION ALL
    SELECT 'work.versions', 'warning', current_database(), 'workers of several versions are at work: ' || string_agg(DISTINCT l.version, ', '), 'replace the older ones, then: tintype install'
      FROM live l HAVING count(DISTINCT l.version) > 1
    UNION ALL
    SELECT 'work.paused', 'warning', s.source, format('its drawing is paused; %s rows wait', s.waiting), format('SELECT tintype.resume(%L);   -- tintype resume', o.relation::text)
      FROM status s JOIN tintype.source o ON o.name = s.source WHERE o.paused
    UNION ALL
    SELECT 'work.waiting', CASE WHEN s.oldest_age > patience THEN 'warning' ELSE 'note' END, s.source,
           format('%s rows wait, %s are being drawn, the oldest change is of %s ago', s.pending + s.retrying, s.processing, date_trunc('second', s.oldest_age)),
           CASE WHEN s.oldest_age > patience THEN 'tintype run --storage s3://bucket/prefix   # one more worker' END
      FROM status s WHERE s.waiting > 0 AND s.state <> 'paused'
    UNION ALL
    (SELECT 'work.failed', 'warning', b.name, format('%s rows failed: %s (%s)', b.rows, b.reason, b.key), format('tintype retry %s   # once the cause is mended', quote_ident(b.name))
       FROM broken b ORDER BY b.rows DESC LIMIT 10)
    UNION ALL
    (SELECT 'work.retrying', 'warning', r.name, format('%s rows wait for another attempt: %s (%s)', r.rows, r.reason, r.key), format('tintype retry %s   # at once, once the cause is mended', quote_ident(r.name))
       FROM retried r ORDER BY r.rows DESC LIMIT 10)
    UNION ALL
    SELECT 'work.marks', 'warning', s.source, format('%s pictures have marks in place of characters that no font of the worker has', s.marked),
           'SELECT key, reason FROM tintype.image WHERE state = ''ready'' AND reason IS NOT NULL;'
      FROM status s WHERE s.marked > 0
    UNION ALL
    SELECT 'work.place', 'warning', current_database(), 'this database was restored or moved: what the store holds may be another''s, and is not pruned', 'SELECT tintype.adopt();   -- where this is the only one'
      FROM tintype.instance i WHERE i.place <> tintype.place()
$$;
