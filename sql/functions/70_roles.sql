-- Who may do what in schema tintype. Run at the end of each install: functions that are new in a version are nobody's yet.

-- What the worker's role may call and touch: what `run`, `backfill`, `retry`, `status` and `doctor` do, and nothing that decides what is
-- watched or how. All of it runs with the worker's own rights; only the triggers borrow their owner's.
CREATE OR REPLACE FUNCTION tintype.worker_functions()
RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY['set_bell', 'marks_in_flight', 'ring', 'outlook', 'beat', 'say_goodbye', 'doze', 'due_sweeps', 'fold', 'tide', 'claim', 'extend', 'release', 'retry_later', 'orphans', 'park',
                 'read_row', 'wants', 'bytes', 'status_word', 'write_status', 'say_processing', 'say_pending', 'finish', 'replaceable', 'lock_row', 'write_url', 'leave_out', 'record', 'publish_one', 'announce', 'publish',
                 'discard', 'reclaim', 'condemn', 'bury', 'place', 'scan', 'prune', 'sweep', 'attached', 'backfill', 'backfill_step', 'backfill_in_steps', 'complain_of_scan', 'try_condition', 'pace', 'retry', 'try_again', 'image',
                 'worker_roles', 'key_sql', 'match_sql', 'after_sql', 'operator_sql', 'by_browser', 'blame', 'drawn_columns', 'content_sql', 'wanted_sql', 'lock_sql', 'open_rows', 'may_hide', 'policy_trouble',
                 'load', 'wall', 'search', 'search_titles', 'cause', 'failures', 'retry_cause', 'note_unseen', 'require_writable', 'find_table', 'short_name', 'nearest',
                 'doctor', 'doctor_server', 'doctor_horizon', 'doctor_work', 'doctor_columns', 'doctor_triggers', 'doctor_rights', 'doctor_host', 'host_triggers',
                 'written_columns', 'own_needs', 'watched_columns', 'host_rewrites', 'marker_sql', 'steady', 'fits', 'status_lacks', 'choose_key']
$$;

-- The same for tables, views and sequences.
CREATE OR REPLACE FUNCTION tintype.worker_rights(OUT name text, OUT rights text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('change',    'SELECT, INSERT, DELETE'),
           ('job',       'SELECT, INSERT, UPDATE, DELETE'),
           ('image',     'SELECT, INSERT, UPDATE, DELETE'),
           ('garbage',   'SELECT, INSERT, UPDATE, DELETE'),
           ('backfill_run', 'SELECT, INSERT, UPDATE, DELETE'),
           ('worker',    'SELECT, INSERT, UPDATE, DELETE'),
           ('source',    'SELECT, UPDATE (whole, swept_to, pruned_to, swept_at, problem)'),
           ('instance',  'SELECT, UPDATE (card_pace, page_pace)'),
           ('migration', 'SELECT'),
           ('status',    'SELECT'),
           ('queue_depth', 'SELECT'),
           ('entry',     'SELECT'),
           ('bell',      'SELECT, UPDATE'),
           ('lease',     'SELECT, USAGE'),
           ('change_id_seq', 'SELECT')
$$;

-- Gives everything in the schema to one owner.
CREATE OR REPLACE FUNCTION tintype.hand_over(new_owner name)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one  text;
    heir oid := to_regrole(quote_ident(new_owner));
BEGIN
    IF EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'tintype' AND n.nspowner <> heir) THEN
        EXECUTE format('ALTER SCHEMA tintype OWNER TO %I', new_owner);
    END IF;
    FOR one IN
        SELECT format('%s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
          FROM pg_class c
         WHERE c.relnamespace = 'tintype'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND c.relowner <> heir
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
        UNION ALL
        SELECT format('ROUTINE %s', p.oid::regprocedure) FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace AND p.proowner <> heir
    LOOP
        EXECUTE format('ALTER %s OWNER TO %I', one, new_owner);
    END LOOP;
END $$;

-- Takes every function from PUBLIC, so that a role with USAGE on the schema, as to read tintype.image, can call none. Where there
-- are roles, all is the owner's, and each worker has the rights above, no more than before an upgrade and no fewer. Owners of
-- tables change hands under a lock that the hosts' writes would wait for, so it is asked for shortly; install tries again.
CREATE OR REPLACE FUNCTION tintype.secure(new_owner name DEFAULT NULL, new_worker name DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    workers name[] := ARRAY(SELECT tintype.worker_roles() UNION SELECT new_worker WHERE new_worker IS NOT NULL);
    owner   name := coalesce(new_owner, (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = 'tintype'));
    worker  name;
    one     record;
BEGIN
    IF workers <> '{}' THEN
        PERFORM tintype.hand_over(owner);
    END IF;
    REVOKE ALL ON ALL ROUTINES IN SCHEMA tintype FROM PUBLIC;
    FOREACH worker IN ARRAY workers LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA tintype FROM %1$I; REVOKE ALL ON ALL SEQUENCES IN SCHEMA tintype FROM %1$I;
                        REVOKE ALL ON ALL ROUTINES IN SCHEMA tintype FROM %1$I; REVOKE ALL ON SCHEMA tintype FROM %1$I;
                        GRANT USAGE ON SCHEMA tintype TO %1$I', worker);
        FOR one IN SELECT c.oid::regclass AS relation, c.relkind, w.rights
                     FROM tintype.worker_rights() w JOIN pg_class c ON c.relname = w.name AND c.relnamespace = 'tintype'::regnamespace LOOP
            EXECUTE format('GRANT %s ON %s %s TO %I', one.rights, CASE one.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, one.relation, worker);
        END LOOP;
        FOR one IN SELECT p.oid::regprocedure AS function FROM pg_proc p
                    WHERE p.pronamespace = 'tintype'::regnamespace AND p.proname = ANY (tintype.worker_functions()) LOOP
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', one.function, worker);
        END LOOP;
        FOR one IN SELECT s AS source FROM tintype.source s JOIN pg_class c ON c.oid = s.relation LOOP
            BEGIN
                PERFORM tintype.grant_worker(one.source, worker);
            EXCEPTION WHEN undefined_column OR undefined_table OR undefined_function OR syntax_error OR datatype_mismatch THEN
                RAISE WARNING 'tintype: rights on % stay as they are: %', (one.source).name, SQLERRM
                    USING HINT = format('tintype attach %s with the columns that it has now', (one.source).name);
            END;
        END LOOP;
    END LOOP;
END $$;

-- The GRANTs on attached tables that a worker's role still lacks, because none of tintype's roles owns the table.
CREATE OR REPLACE FUNCTION tintype.grants_to_make()
RETURNS SETOF text LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.statement FROM tintype.source s JOIN pg_class c ON c.oid = s.relation, tintype.worker_roles() r, tintype.missing_grants(s, r) m
$$;
