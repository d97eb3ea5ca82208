-- attach and detach: the only statements of tintype that touch a host's table definition, and only its triggers.

-- Watches a table; again with other columns is an edit. Waits 2 s at most for the table (CREATE TRIGGER needs SHARE ROW
-- EXCLUSIVE: reads go on, writes wait for it); the command line tries again a few times.
CREATE OR REPLACE FUNCTION tintype.attach(
    relation regclass, body text DEFAULT NULL, image text DEFAULT NULL, title text DEFAULT NULL, author text DEFAULT NULL,
    date text DEFAULT NULL, tags text DEFAULT NULL, key text[] DEFAULT NULL, row_filter text DEFAULT NULL,
    draw text DEFAULT 'auto', look text DEFAULT 'night', theme text DEFAULT NULL, site text DEFAULT NULL, look_column text DEFAULT NULL,
    template text DEFAULT NULL, strict boolean DEFAULT false, unpublish boolean DEFAULT false,
    url text DEFAULT NULL, html text DEFAULT NULL, data text[] DEFAULT NULL, capture jsonb DEFAULT NULL, status text DEFAULT NULL)
RETURNS tintype.source LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
    src tintype.source := tintype.plan(relation, body, image, title, author, date, tags, key, row_filter, draw, look, theme, site, look_column, template, "strict", unpublish, url, html, data, capture, status);
    old tintype.source;
    namesake tintype.source;
    other_keys boolean;
    again      boolean;  -- the sweep begins at once
    unwatched  boolean;
    unfinished text[];  -- keys of rows that wait for their picture, as the old key says them
BEGIN
    IF NOT EXISTS (SELECT FROM tintype.migration) THEN
        RAISE EXCEPTION 'schema tintype is here without its rows, as a dump of the structure alone brings it back'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'tintype install begins anew; then this again.';
    END IF;
    PERFORM tintype.require_rights(src);
    IF src.status_column IS NOT NULL AND src.row_filter IS NOT NULL THEN
        IF EXISTS (SELECT FROM tintype.filter_columns(src) f WHERE f.relation = src.relation AND f.name = src.status_column) THEN
            RAISE EXCEPTION 'the row filter (%) reads column %, which tintype writes: a row would leave it while it is drawn', src.row_filter, quote_ident(src.status_column)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Filter by a column of your own, or leave --status-column out and read tintype.image.';
        END IF;
    END IF;
    -- Two that attach one table at once take turns: its row has two unique keys, and ON CONFLICT can answer for one only. Before that row is
    -- locked, or each could hold what the other waits for.
    PERFORM pg_advisory_xact_lock(hashtext('tintype'), src.relation::oid::bigint::bit(32)::integer);
    -- An empty table has no old rows to ask for: all that comes is tintype's to watch over.
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s) AND NOT tintype.may_hide(%L)', src.relation, src.relation) INTO src.whole;
    -- The image column is not compared here: to move the URL elsewhere needs no new keys.
    SELECT s.* INTO old FROM tintype.source s WHERE s.relation = src.relation FOR UPDATE;
    -- Columns of the same types in the place of some that are gone are those under their new names, and hold the same keys.
    other_keys := old.id IS NOT NULL AND (old.key_columns, old.key_types) IS DISTINCT FROM (src.key_columns, src.key_types)
        AND (old.key_types <> src.key_types
             OR EXISTS (SELECT FROM unnest(old.key_columns, src.key_columns) k(was, now)
                         WHERE k.was <> k.now AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = src.relation AND a.attname = k.was AND a.attnum > 0 AND NOT a.attisdropped)));
    -- What another filter lets in and leaves out, whose URL goes into another column, what was edited while no trigger saw it, and
    -- what a sweep that ended badly did not come to, is found by a sweep that begins at once.
    unwatched := old.id IS NOT NULL AND tintype.unwatched(old);
    again := unwatched OR old.problem IS NOT NULL OR (old.id IS NOT NULL AND (old.row_filter, old.unpublish, old.image_column) IS DISTINCT FROM (src.row_filter, src.unpublish, src.image_column));
    IF other_keys THEN
        unfinished := tintype.drop_jobs(old.id);
        DELETE FROM tintype.image i WHERE i.source = old.id;
        DELETE FROM tintype.backfill_run r WHERE r.source = old.id;
    END IF;
    -- Another source may still bear the name: its table was dropped, or has been renamed since.
    FOR namesake IN SELECT s.* FROM tintype.source s WHERE s.name = src.name AND s.relation <> src.relation LOOP
        IF EXISTS (SELECT FROM pg_class c WHERE c.oid = namesake.relation) THEN
            UPDATE tintype.source s SET name = tintype.short_name(s.relation) WHERE s.id = namesake.id;
        ELSE
            PERFORM tintype.detach(namesake.relation);
        END IF;
    END LOOP;
    INSERT INTO tintype.source AS s (relation, name, key_columns, key_types, body_column, title_column, author_column, date_column,
                                     tags_column, look_column, image_column, image_blank, row_filter, draw, look, theme, template, site, strict, whole, unpublish, url, html, data_columns, capture, status_column)
    VALUES (src.relation, src.name, src.key_columns, src.key_types, src.body_column, src.title_column, src.author_column, src.date_column,
            src.tags_column, src.look_column, src.image_column, src.image_blank, src.row_filter, src.draw, src.look, src.theme, src.template, src.site, src."strict", src.whole, src.unpublish,
            src.url, src.html, src.data_columns, src.capture, src.status_column)
    ON CONFLICT ON CONSTRAINT source_relation_key DO UPDATE SET
        name = excluded.name, key_columns = excluded.key_columns, key_types = excluded.key_types, body_column = excluded.body_column,
        title_column = excluded.title_column, author_column = excluded.author_column, date_column = excluded.date_column,
        tags_column = excluded.tags_column, look_column = excluded.look_column, image_column = excluded.image_column,
        image_blank = excluded.image_blank, row_filter = excluded.row_filter, draw = excluded.draw, look = excluded.look, theme = excluded.theme,
        template = excluded.template, site = excluded.site, strict = excluded.strict, unpublish = excluded.unpublish,
        url = excluded.url, html = excluded.html, data_columns = excluded.data_columns, capture = excluded.capture, status_column = excluded.status_column,
        swept_at = CASE WHEN again THEN '-infinity' ELSE s.swept_at END, swept_to = CASE WHEN NOT again THEN s.swept_to END,
        pruned_to = CASE WHEN NOT again THEN s.pruned_to END, problem = NULL
    RETURNING s.* INTO src;
    IF old.image_column IS DISTINCT FROM src.image_column THEN
        PERFORM tintype.hold_jobs(src.id);  -- or we and those who hand pictures in would wait for each other
        UPDATE tintype.image i SET in_row = false WHERE i.source = src.id AND i.in_row;  -- what the old column holds is the host's now
    END IF;
    BEGIN
        IF src.image_column IS NULL AND old.image_column IS NOT NULL THEN
            PERFORM tintype.drop_triggers(src);
        END IF;
        PERFORM tintype.make_triggers(src);
    EXCEPTION WHEN lock_not_available THEN
        PERFORM tintype.complain_of_lock(relation);
    END;
    IF unwatched THEN
        RAISE NOTICE 'tintype: a trigger of % was missing or switched off: the sweep begins now and finds what was edited meanwhile', src.name
            USING HINT = format('For rows that are new since then: tintype backfill %s', src.name);
    END IF;
    IF other_keys THEN
        PERFORM tintype.rekey(old, src, unfinished);
    END IF;
    PERFORM tintype.share(src);
    RETURN src;
END $$;

-- Makes the triggers of a source, or makes them again: switched on, and in replicas as well where they were so before.
CREATE OR REPLACE FUNCTION tintype.make_triggers(src tintype.source)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    always text[] := ARRAY(SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = src.relation AND t.tgname LIKE 'tintype\_%' AND t.tgenabled = 'A');
    one    text;
BEGIN
    EXECUTE tintype.trigger_sql(src);
    FOR one IN SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = src.relation AND t.tgname = ANY (always) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', src.relation, one);
    END LOOP;
END $$;

-- Marks under their new keys the rows that waited for their picture under their old ones: those `unfinished`, and those whose marks the old
-- trigger wrote until its table was ours. No fold runs meanwhile: drop_jobs has its lock. Where the old key's columns are gone, so are
-- the names of those rows; `tintype backfill --stale` finds them by their content.
CREATE OR REPLACE FUNCTION tintype.rekey(old tintype.source, src tintype.source, unfinished text[])
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    marked text[];
BEGIN
    WITH mark AS (DELETE FROM tintype.change c WHERE c.source = src.id RETURNING c.key)
    SELECT array_agg(m.key) INTO marked FROM mark m;
    BEGIN
        EXECUTE format('INSERT INTO tintype.change (source, key) SELECT $1, %s FROM %s x WHERE EXISTS (SELECT FROM unnest($2) AS k(key) WHERE %s)',
            tintype.key_sql(src, 'x'), src.relation, tintype.match_sql(old, 'x', 'k.key')) USING src.id, unfinished || marked;
    EXCEPTION WHEN undefined_column OR undefined_function OR data_exception THEN
        RAISE WARNING 'tintype: rows of % that waited for a picture are not known by their old key any more', src.name
            USING HINT = format('tintype backfill %s --stale', src.name);
    END;
END $$;

-- Says that a table is in use, and by whom.
CREATE OR REPLACE FUNCTION tintype.complain_of_lock(relation regclass)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    users text;
BEGIN
    SELECT string_agg(format('process %s (%s)', a.pid, concat_ws(', ', nullif(a.application_name, ''), a.state,
                                                                 'since ' || to_char(a.xact_start, 'HH24:MI:SS'))), ', ' ORDER BY a.xact_start)
      INTO users
      FROM pg_stat_activity a
     WHERE a.pid <> pg_backend_pid()
       AND a.pid IN (SELECT l.pid FROM pg_locks l
                      WHERE l.locktype = 'relation' AND l.granted AND l.mode <> 'AccessShareLock'
                        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                        AND (l.relation = complain_of_lock.relation
                             OR l.relation IN (SELECT t.relid FROM pg_partition_tree(complain_of_lock.relation) t)));
    RAISE EXCEPTION 'table % is in use by another transaction', relation
        USING ERRCODE = 'lock_not_available',
              HINT = coalesce('It is held by ' || users || '. ', '') || 'Try again when that has ended.';
END $$;

-- Says which right is missing, with the GRANT that gives it. Where a role of its own works, the columns are that role's affair
-- (tintype.share), and what row-level security hides from it is said by policy_trouble.
CREATE OR REPLACE FUNCTION tintype.require_rights(src tintype.source)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name  text;
    alone boolean := NOT EXISTS (SELECT FROM tintype.worker_roles());
BEGIN
    -- (The image column is read as well: a picture chosen by hand stays.)
    IF alone AND row_security_active(src.relation) THEN
        RAISE EXCEPTION 'row-level security hides rows of % from role %', src.relation, current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Attach and run as the table''s owner, or as a superuser: ALTER ROLE %I BYPASSRLS;', current_user);
    ELSIF NOT has_table_privilege(src.relation, 'TRIGGER') THEN
        RAISE EXCEPTION 'role % may not create triggers on %', current_user, src.relation
            USING ERRCODE = 'insufficient_privilege', HINT = format('As its owner: GRANT TRIGGER ON %s TO %I;', src.relation, current_user);
    END IF;
    FOREACH name IN ARRAY CASE WHEN alone THEN tintype.written_columns(src) ELSE '{}' END LOOP
        IF NOT has_column_privilege(src.relation, name, 'UPDATE') THEN
            RAISE EXCEPTION 'role % may not write column % of %', current_user, quote_ident(name), src.relation
                USING ERRCODE = 'insufficient_privilege', HINT = format('As its owner: GRANT UPDATE (%I) ON %s TO %I;', name, src.relation, current_user);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY src.key_columns || CASE WHEN alone THEN tintype.drawn_columns(src) || tintype.written_columns(src) END LOOP
        IF NOT has_column_privilege(src.relation, name, 'SELECT') THEN
            RAISE EXCEPTION 'role % may not read column % of %', current_user, quote_ident(name), src.relation
                USING ERRCODE = 'insufficient_privilege', HINT = format('As its owner: GRANT SELECT ON %s TO %I;', src.relation, current_user);
        END IF;
    END LOOP;
END $$;

-- Drops the triggers of a source, those that its table still has: a right of the table's owner.
CREATE OR REPLACE FUNCTION tintype.drop_triggers(src tintype.source)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    drops text;
BEGIN
    SELECT string_agg(format('DROP TRIGGER %I ON %s;', t.tgname, src.relation), ' ' ORDER BY t.tgname) INTO drops
      FROM pg_trigger t
     WHERE t.tgrelid = src.relation AND t.tgparentid = 0 AND t.tgname IN ('tintype_insert', 'tintype_update', 'tintype_erased');
    IF drops IS NULL THEN
        RETURN;
    ELSIF NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = src.relation), 'USAGE') THEN
        RAISE EXCEPTION 'role % does not own % and may not drop its triggers', current_user, src.relation
            USING ERRCODE = 'insufficient_privilege', HINT = format('As its owner: %s and then this again.', drops);
    END IF;
    EXECUTE drops;
END $$;

-- Holds the jobs of a source until our transaction ends, before its table and its pictures are touched: in the order in which those who
-- publish lock them, who could deadlock with us otherwise. No fold runs meanwhile, or it would bring a job.
CREATE OR REPLACE FUNCTION tintype.hold_jobs(source_id integer)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tintype'), hashtext('fold'));
    PERFORM FROM tintype.job j WHERE j.source = source_id ORDER BY j.key FOR UPDATE;
END $$;

-- Forgets the jobs of a source. Returns their keys.
DROP FUNCTION IF EXISTS tintype.drop_jobs(integer);
CREATE OR REPLACE FUNCTION tintype.drop_jobs(source_id integer)
RETURNS text[] LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keys text[];
BEGIN
    PERFORM tintype.hold_jobs(source_id);
    WITH dropped AS (DELETE FROM tintype.job j WHERE j.source = source_id RETURNING j.key)
    SELECT array_agg(d.key) INTO keys FROM dropped d;
    RETURN keys;
END $$;

-- Stops watching a table and forgets what was made for it. URLs in the rows and objects in the store stay.
CREATE OR REPLACE FUNCTION tintype.detach(relation regclass)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
    src tintype.source;
BEGIN
    DELETE FROM tintype.source s WHERE s.relation = relation RETURNING s.* INTO src;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached', relation
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce((SELECT 'Attached are: ' || string_agg(s.name, ', ' ORDER BY s.name) FROM tintype.source s), 'No table is attached.');
    END IF;
    BEGIN
        PERFORM tintype.drop_jobs(src.id);
        PERFORM tintype.drop_triggers(src);
        PERFORM tintype.unshare(src);
    EXCEPTION WHEN lock_not_available THEN
        PERFORM tintype.complain_of_lock(relation);
    END;
    EXECUTE format('DROP FUNCTION IF EXISTS tintype.mark_%s()', src.id);
    DELETE FROM tintype.image i WHERE i.source = src.id;
    DELETE FROM tintype.backfill_run r WHERE r.source = src.id;
END $$;

-- Writes every source's trigger function anew: what an upgrade calls. Takes no lock on the hosts' tables.
CREATE OR REPLACE FUNCTION tintype.refresh_markers()
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    src tintype.source;
BEGIN
    FOR src IN SELECT s.* FROM tintype.source s JOIN pg_class c ON c.oid = s.relation LOOP
        EXECUTE tintype.marker_sql(src);
    END LOOP;
END $$;
