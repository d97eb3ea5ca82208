-- The doctor at one attached table: whether its columns are still what they were, the triggers see every change, the roles have
-- their rights, and what triggers of the host's do when tintype writes. From the catalog alone.

-- Columns, key and filter, as they are now.
CREATE OR REPLACE FUNCTION tintype.doctor_columns(src tintype.source)
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    again text := format('tintype attach %s --yes', quote_ident(src.name));
    words text;
    hints text;
    lost  text[];   -- columns that the trigger watches, by names that the source does not know: renamed ones
    erased text;    -- the same of the trigger that watches the image column
BEGIN
    SELECT array_agg(DISTINCT a.attname::text) INTO lost
      FROM pg_trigger t JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refobjid = t.tgrelid
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
     WHERE t.tgrelid = src.relation AND t.tgname = 'tintype_update' AND NOT a.attname = ANY (tintype.watched_columns(src));
    SELECT a.attname::text INTO erased
      FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[])
     WHERE t.tgrelid = src.relation AND t.tgname = 'tintype_erased' AND a.attname <> src.image_column;
    RETURN QUERY
        SELECT 'tables.column', 'error', src.name, format('column %I, its %s, is not there any more', n.name, n.role) || coalesce(' (renamed to ' || quote_ident(l.renamed) || '?)', ''),
               CASE WHEN n.role = 'image' AND f.fitting IS NULL THEN format('ALTER TABLE %s ADD COLUMN %I text;', src.relation, n.name)
                    WHEN strpos(src.url, '{' || n.name || '}') > 0  -- the address says which columns it needs
                    THEN format('tintype attach %s --url %L --yes', quote_ident(src.name), replace(src.url, '{' || n.name || '}', '{' || coalesce(l.renamed, f.fitting, 'COLUMN') || '}'))
                    ELSE format('tintype attach %s --%s %s --yes', quote_ident(src.name), n.flag, coalesce(quote_ident(coalesce(l.renamed, f.fitting)), 'COLUMN')) END
          FROM (SELECT unnest(src.key_columns), 'key', 'key' UNION ALL SELECT unnest(src.data_columns), 'data', 'data'
                UNION ALL VALUES (src.body_column, 'body', 'body'), (src.title_column, 'title', 'title'), (src.author_column, 'author', 'author'),
                                 (src.date_column, 'date', 'date'), (src.tags_column, 'tags', 'tags'), (src.look_column, 'look', 'look-column'),
                                 (src.image_column, 'image', 'image'), (src.status_column, 'status', 'status-column')) n(name, role, flag)
         CROSS JOIN LATERAL (SELECT CASE WHEN n.role = 'image' THEN erased WHEN n.role <> 'status' AND cardinality(lost) = 1 THEN lost[1] END AS renamed) l
         CROSS JOIN LATERAL (  -- of the columns that would do and have no part yet, the one most like it
                SELECT coalesce(l.renamed, tintype.nearest(n.name, array_agg(a.attname::text)), CASE WHEN n.role = 'image' THEN min(a.attname::text) END) AS fitting
                  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                 WHERE a.attrelid = src.relation AND a.attnum > 0 AND NOT a.attisdropped AND (n.role IN ('key', 'data') OR tintype.fits(n.role, a.atttypid))
                   AND NOT a.attname = ANY (src.key_columns || tintype.drawn_columns(src) || tintype.written_columns(src))
                   AND (n.role <> 'image' OR (a.attgenerated = '' AND coalesce(nullif(a.atttypmod, -1), nullif(t.typtypmod, -1), 1000) - 4 >= 120))) f
         WHERE n.name IS NOT NULL
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = src.relation AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped);
    RETURN QUERY
        SELECT 'tables.type', 'error', src.name, format('column %I, its %s, is %s now, which cannot serve as that', a.attname, n.role, format_type(a.atttypid, a.atttypmod)), again
          FROM (VALUES (src.body_column, 'body'), (src.title_column, 'title'), (src.author_column, 'author'), (src.date_column, 'date'), (src.tags_column, 'tags'),
                       (src.look_column, 'look'), (src.image_column, 'image'), (src.status_column, 'status')) n(name, role)
          JOIN pg_attribute a ON a.attrelid = src.relation AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
         WHERE NOT tintype.fits(n.role, a.atttypid) OR (n.role IN ('image', 'status') AND a.attgenerated <> '') OR (n.role = 'status' AND tintype.status_lacks(src.relation, a.attname) <> '{}')
        UNION ALL
        SELECT 'tables.type', 'error', src.name, format('column %I of the key is %s now and was %s', a.attname, format_type(a.atttypid, -1), k.type), again
          FROM unnest(src.key_columns, src.key_types) k(name, type)
          JOIN pg_attribute a ON a.attrelid = src.relation AND a.attname = k.name AND a.attnum > 0 AND NOT a.attisdropped
         WHERE format_type(a.atttypid, -1) <> k.type
        UNION ALL
        SELECT 'tables.blank', 'error', src.name, format('column %I may not be NULL any more, as a row without a picture has it', a.attname), again
          FROM pg_attribute a WHERE a.attrelid = src.relation AND a.attname = src.image_column AND a.attnotnull AND src.image_blank IS NULL;
    RETURN QUERY
        SELECT 'tables.status', 'note', src.name, format('column %I has no default: a new row says nothing until it is drawn', a.attname), format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT ''pending'';', src.relation, a.attname)
          FROM pg_attribute a WHERE a.attrelid = src.relation AND a.attname = src.status_column AND NOT a.atthasdef;
    BEGIN
        PERFORM tintype.choose_key(src.relation, src.key_columns);
    EXCEPTION WHEN OTHERS THEN
        RETURN QUERY SELECT 'tables.key', 'error', src.name,
            format('columns (%s) no longer identify a row: no unique index stands on them', array_to_string(src.key_columns, ', ')),
            format('ALTER TABLE %s ADD PRIMARY KEY (%s);', src.relation, (SELECT string_agg(quote_ident(k), ', ') FROM unnest(src.key_columns) k));
    END;
    IF src.row_filter IS NOT NULL THEN
        BEGIN
            EXECUTE format('SELECT FROM %s x WHERE (%s) LIMIT 0', src.relation, src.row_filter);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, hints = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT 'tables.filter', 'error', src.name, format('its row filter (%s) cannot be used: %s', src.row_filter, concat_ws('; ', words, nullif(hints, ''))),
                format('tintype attach %s --where ''CONDITION'' --yes', quote_ident(src.name));
        END;
    END IF;
    IF src.problem IS NOT NULL THEN
        RETURN QUERY SELECT 'tables.problem', 'error', src.name, 'the last sweep ended with: ' || src.problem, again;
    END IF;
END $$;

-- Whether the triggers are there, switched on, and see what they have to.
CREATE OR REPLACE FUNCTION tintype.doctor_triggers(src tintype.source)
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH ours AS (
        SELECT t.*, p.prosrc, p.prosecdef, p.proowner, cardinality(t.tgattr::int2[]) > 0 AS listed,
               -- The columns that stand in its OF list or its WHEN.
               ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                      WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refobjid = t.tgrelid AND d.refobjsubid > 0) AS columns
          FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
         WHERE t.tgrelid IN (SELECT src.relation UNION SELECT f.relid FROM pg_partition_tree(src.relation) f)
           AND t.tgname IN ('tintype_insert', 'tintype_update', 'tintype_erased')
    ), again AS (  -- where a column is gone, what mends that makes the triggers anew as well
        SELECT coalesce((SELECT d.fix FROM tintype.doctor_columns(src) d WHERE d.code = 'tables.column' LIMIT 1), format('tintype attach %s --yes', quote_ident(src.name))) AS statement
    )
    SELECT 'triggers.missing', CASE WHEN src.paused THEN 'warning' ELSE 'error' END, src.name,
           format('trigger %s is not there%s', n.name, CASE WHEN src.paused THEN ' while the table is paused: its changes are not marked' ELSE ': its changes are found by the sweep alone, within the hour' END),
           CASE WHEN src.paused THEN format('tintype resume %s', quote_ident(src.name)) ELSE a.statement END
      FROM again a, unnest(ARRAY['tintype_insert', 'tintype_update']
                           || ARRAY(SELECT 'tintype_erased' FROM pg_attribute c  -- without its column it cannot be
                                     WHERE c.attrelid = src.relation AND c.attname = src.image_column AND c.attnum > 0 AND NOT c.attisdropped)) AS n(name)
     WHERE NOT EXISTS (SELECT FROM ours o WHERE o.tgrelid = src.relation AND o.tgname = n.name)
    UNION ALL
    SELECT 'triggers.disabled', 'error', src.name, format('trigger %s %s', o.tgname, CASE o.tgenabled WHEN 'D' THEN 'is switched off' ELSE 'fires in replicas alone' END),
           format('ALTER TABLE %s ENABLE TRIGGER %I;', o.tgrelid::regclass, o.tgname)
      FROM ours o WHERE o.tgenabled IN ('D', 'R')
    UNION ALL
    SELECT 'triggers.always', 'note', src.name, format('trigger %s fires in replicas as well (ENABLE ALWAYS)', o.tgname), NULL
      FROM ours o WHERE o.tgenabled = 'A' AND o.tgparentid = 0
    UNION ALL
    SELECT 'triggers.replicated', 'error', src.name, format('its rows come by logical replication, for which trigger %s does not fire', o.tgname),
           format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', o.tgrelid::regclass, o.tgname)
      FROM ours o JOIN pg_subscription_rel r ON r.srrelid = o.tgrelid WHERE o.tgenabled = 'O'
    UNION ALL
    SELECT 'triggers.columns', 'error', src.name, format('trigger tintype_update does not see changes of %s', w.name), a.statement
      FROM ours o, again a, unnest(tintype.watched_columns(src)) AS w(name)
     WHERE o.tgname = 'tintype_update' AND o.tgrelid = src.relation
       AND (NOT w.name = ANY (o.columns)
            OR (o.listed AND NOT EXISTS (SELECT FROM pg_attribute c WHERE c.attrelid = o.tgrelid AND c.attname = w.name AND c.attnum = ANY (o.tgattr::int2[]))))
    UNION ALL
    SELECT 'triggers.loop', 'error', src.name, format('trigger tintype_update fires for column %I, which tintype writes itself', src.image_column), a.statement
      FROM ours o, again a WHERE o.tgname = 'tintype_update' AND o.tgrelid = src.relation AND src.image_column = ANY (o.columns)
    UNION ALL
    SELECT 'triggers.rewrites', 'warning', src.name, 'a BEFORE trigger of the table may change what is drawn behind an UPDATE that does not name it, which tintype_update then does not see', a.statement
      FROM ours o, again a WHERE o.tgname = 'tintype_update' AND o.tgrelid = src.relation AND o.listed AND tintype.host_rewrites(src)
    UNION ALL
    SELECT 'triggers.function', 'error', src.name, format('trigger %s does not run as this version of tintype wrote it', o.tgname), 'tintype install && ' || a.statement
      FROM ours o, again a
     WHERE o.tgrelid = src.relation AND (o.tgfoid IS DISTINCT FROM to_regproc(format('tintype.mark_%s', src.id)) OR NOT o.prosecdef OR strpos(tintype.marker_sql(src), o.prosrc) = 0)
    UNION ALL
    SELECT 'triggers.owner', 'error', src.name, format('trigger %s runs as %I, who may not write marks: every change is missed', o.tgname, pg_get_userbyid(o.proowner)), 'tintype install'
      FROM ours o
     WHERE o.tgrelid = src.relation AND NOT (has_schema_privilege(o.proowner, 'tintype', 'USAGE') AND has_table_privilege(o.proowner, 'tintype.change', 'INSERT')
                                             AND has_sequence_privilege(o.proowner, 'tintype.bell', 'USAGE, SELECT'))
$$;

-- Whether those who work may read and write what they have to: the roles of install --roles, else whoever asks.
CREATE OR REPLACE FUNCTION tintype.doctor_rights(src tintype.source)
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH role AS (
        SELECT w AS name FROM tintype.worker_roles() w
        UNION ALL SELECT current_user WHERE NOT EXISTS (SELECT FROM tintype.worker_roles())
    ), lacking AS (
        SELECT r.name AS role, n.privilege, string_agg(quote_ident(n.name), ', ' ORDER BY n.name) AS columns
          FROM role r, tintype.own_needs(src) n JOIN pg_attribute a ON a.attrelid = n.relation AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
         WHERE NOT has_column_privilege(r.name, n.relation, a.attnum, n.privilege)
         GROUP BY r.name, n.privilege
    )
    SELECT 'rights.schema', 'error', src.name, format('role %I may not look into schema %I', r.name, n.nspname), format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, r.name)
      FROM role r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = src.relation AND NOT has_schema_privilege(r.name, n.oid, 'USAGE')
    UNION ALL
    SELECT 'rights.columns', 'error', src.name, format('role %I may not %s %s', l.role, CASE l.privilege WHEN 'SELECT' THEN 'read' ELSE 'write' END, l.columns),
           format('GRANT %s (%s) ON %s TO %I;', l.privilege, l.columns, src.relation, l.role)
      FROM lacking l
    UNION ALL
    SELECT 'rights.policy', CASE WHEN t.broken THEN 'error' ELSE 'warning' END, src.name, t.words, regexp_replace(t.hint, '^As its owner: ', '')
      FROM role r, tintype.policy_trouble(src, r.name) t WHERE t.words IS NOT NULL
$$;

-- The triggers of the host's that fire when tintype writes to a row, with what their texts say that they do: the columns that they set,
-- and the tables and functions that they name without a schema, which our sessions, with a search path of the system's own, do not find.
-- `narrowed` is the same trigger for all columns but ours.
CREATE OR REPLACE FUNCTION tintype.host_triggers(src tintype.source)
RETURNS TABLE (name text, timing text, refuses boolean, sets text[], unfound text[], function regprocedure, narrowed text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH fired AS (
        SELECT t.*, p.proconfig, l.lanname, p.prosrc, regexp_replace(p.prosrc, '--[^\n]*', '', 'g') AS body,
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = t.tgrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND NOT a.attname = ANY (tintype.written_columns(src))) AS others
          FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
         WHERE t.tgrelid IN (SELECT src.relation UNION SELECT f.relid FROM pg_partition_tree(src.relation) f)
           AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 = 16 AND p.pronamespace <> 'tintype'::regnamespace
           AND EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = t.tgrelid AND a.attname = ANY (tintype.written_columns(src)) AND (cardinality(t.tgattr::int2[]) = 0 OR a.attnum = ANY (t.tgattr::int2[]))
                          -- A WHEN that compares other columns alone does not hold for our write.
                          AND (t.tgqual IS NULL OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refobjid = t.tgrelid AND d.refobjsubid > 0)
                               OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refobjid = t.tgrelid AND d.refobjsubid = a.attnum)))
    )
    SELECT f.tgname, CASE WHEN f.tgtype & 2 = 2 THEN 'BEFORE' ELSE 'AFTER' END, f.body ~* '\mraise\s+(exception|sqlstate)\M',
           CASE WHEN f.tgtype & 3 <> 3 THEN '{}'
                WHEN f.prosrc = 'moddatetime' THEN ARRAY[split_part(encode(f.tgargs, 'escape'), '\000', 1)]
                ELSE ARRAY(SELECT DISTINCT m[2] FROM regexp_matches(lower(f.body), '(^|;|\mbegin\M|\mthen\M|\melse\M|\mloop\M)\s*new\s*\.\s*"?([a-z_][a-z0-9_$]*)"?\s*:?=', 'g') m) END,
           CASE WHEN f.lanname NOT IN ('plpgsql', 'sql') OR EXISTS (SELECT FROM unnest(f.proconfig) c WHERE c LIKE 'search_path=%') THEN '{}'
                ELSE ARRAY(SELECT DISTINCT m[2] FROM regexp_matches(lower(f.body), '\m(into|from|join|update|perform|call)\s+"?([a-z_][a-z0-9_$]*)"?(?![a-z0-9_$".])', 'g') m
                            WHERE EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = m[2] AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema')
                               OR EXISTS (SELECT FROM pg_proc q JOIN pg_namespace n ON n.oid = q.pronamespace WHERE m[1] IN ('perform', 'call', 'from') AND q.proname = m[2] AND n.nspname NOT LIKE 'pg\_%')) END,
           f.tgfoid::regprocedure,
           CASE WHEN f.tgconstraint = 0 AND cardinality(f.tgattr::int2[]) = 0 AND f.tgoldtable IS NULL AND f.tgnewtable IS NULL AND f.tgtype & 1 = 1
                THEN regexp_replace(regexp_replace(pg_get_triggerdef(f.oid), '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), ' UPDATE (OF .*? )?ON ', format(' UPDATE OF %s ON ', replace(f.others, '\', '\\'))) || ';' END
      FROM fired f
$$;

-- What these triggers mean for the pictures, and the pictures for the host.
CREATE OR REPLACE FUNCTION tintype.doctor_host(src tintype.source)
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH trigger AS MATERIALIZED (SELECT h.* FROM tintype.host_triggers(src) h)
    SELECT 'host.loop', 'error', src.name, format('its trigger %I sets %s, which is drawn, also when tintype writes: each picture calls for another', t.name, array_to_string(t.sets, ', ')), t.narrowed
      FROM trigger t WHERE t.sets && tintype.drawn_columns(src)
    UNION ALL
    SELECT 'host.search_path', 'error', src.name,
           format('its trigger %I runs when tintype writes, and names %s without a schema, which our sessions do not find: the write fails', t.name, array_to_string(t.unfound, ', ')),
           format('ALTER FUNCTION %s SET search_path = %s, pg_temp;', t.function, (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = src.relation))
      FROM trigger t WHERE t.unfound <> '{}'
    UNION ALL
    SELECT 'host.bumps', 'warning', src.name, format('its trigger %I sets %s when tintype writes a URL, as though somebody had edited the row', t.name, array_to_string(t.sets, ', ')), t.narrowed
      FROM trigger t WHERE t.sets <> '{}' AND NOT t.sets && tintype.drawn_columns(src)
    UNION ALL
    SELECT 'host.refuses', 'warning', src.name, format('its trigger %I (%s UPDATE) may refuse the URL: it raises exceptions', t.name, t.timing), t.narrowed
      FROM trigger t WHERE t.refuses
    UNION ALL
    SELECT 'host.fires', 'note', src.name, format('its trigger %I (%s UPDATE, %s) fires when tintype writes to a row', t.name, t.timing, t.function), NULL
      FROM trigger t WHERE t.sets = '{}' AND t.unfound = '{}' AND NOT t.refuses
$$;
