-- The rights of the worker's role on a host's table: what install --roles arranges for each table that is attached. Given and
-- taken back by whoever owns the table; where another attaches, the GRANT is named.

-- The roles that work here: whoever was given tintype.worker to write to. install --roles makes one.
CREATE OR REPLACE FUNCTION tintype.worker_roles()
RETURNS SETOF name LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT r.rolname
      FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
     WHERE c.oid = 'tintype.worker'::regclass AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
$$;

-- The columns that a source's row filter reads, of its table and of others, as the server itself understands the condition: from
-- a view that is made of it and dropped again.
CREATE OR REPLACE FUNCTION tintype.filter_columns(src tintype.source)
RETURNS TABLE (relation regclass, name text) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    view text := format('tintype.filter_%s', pg_backend_pid());
BEGIN
    IF src.row_filter IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE VIEW %s AS SELECT 1 AS one FROM %s x WHERE (%s)', view, src.relation, src.row_filter);
    RETURN QUERY
        SELECT DISTINCT a.attrelid::regclass, a.attname::text
          FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
          JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum <> 0
         WHERE r.ev_class = view::regclass AND d.refobjid <> r.ev_class;
    EXECUTE format('DROP VIEW %s', view);
END $$;

-- The columns of its own table that a source's worker needs. To read: the key, what is drawn, and the image column, since a picture
-- chosen by hand stays. To write: what written_columns says.
CREATE OR REPLACE FUNCTION tintype.own_needs(src tintype.source)
RETURNS TABLE (relation regclass, privilege text, name text) LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT src.relation, 'SELECT', n.name FROM unnest(src.key_columns || tintype.drawn_columns(src) || tintype.written_columns(src)) AS n(name)
    UNION SELECT src.relation, 'UPDATE', n.name FROM unnest(tintype.written_columns(src)) AS n(name)
$$;

-- The GRANTs without which `role` cannot do the work of one source: the above, and to read what the filter asks, also of other tables.
CREATE OR REPLACE FUNCTION tintype.missing_grants(src tintype.source, role name)
RETURNS TABLE (relation regclass, statement text) LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH needed AS (
        SELECT o.relation, o.privilege, o.name FROM tintype.own_needs(src) o
        UNION SELECT f.relation, 'SELECT', f.name FROM tintype.filter_columns(src) f
    ), rights AS (
        SELECT n.relation, n.privilege, string_agg(quote_ident(n.name), ', ' ORDER BY n.name) AS columns
          FROM needed n WHERE NOT has_column_privilege(role, n.relation, n.name, n.privilege)
         GROUP BY n.relation, n.privilege
    )
    SELECT n.relation, format('GRANT USAGE ON SCHEMA %I TO %I;', s.nspname, role) AS statement
      FROM needed n JOIN pg_class c ON c.oid = n.relation JOIN pg_namespace s ON s.oid = c.relnamespace
     WHERE NOT has_schema_privilege(role, s.oid, 'USAGE') GROUP BY n.relation, s.nspname
    UNION ALL
    SELECT r.relation, format('GRANT %s ON %s TO %I;', string_agg(format('%s (%s)', r.privilege, r.columns), ', ' ORDER BY r.privilege), r.relation, role)
      FROM rights r GROUP BY r.relation
$$;

-- Whether this role may give and take rights on a table, as its owner may.
CREATE OR REPLACE FUNCTION tintype.owns(relation regclass)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = relation), 'USAGE'), false)
$$;

-- Gives `role` what it needs on the table of a source and no more; returns the GRANTs that are for others to make: on a table that is
-- somebody else's, and on those that a filter looks up, whose rights detach does not take back.
CREATE OR REPLACE FUNCTION tintype.grant_worker(src tintype.source, role name)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    grants text;
BEGIN
    IF tintype.owns(src.relation) THEN  -- what an earlier attach gave, and this one does not need
        EXECUTE format('REVOKE ALL ON %s FROM %I', src.relation, role);
    END IF;
    FOR grants IN SELECT m.statement FROM tintype.missing_grants(src, role) m WHERE m.relation = src.relation LOOP
        BEGIN
            EXECUTE grants;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;  -- named at the end, as is one that gave nothing, which is only a warning
        END;
    END LOOP;
    RETURN (SELECT string_agg(m.statement, ' ') FROM tintype.missing_grants(src, role) m);
END $$;

-- What attach does for the roles of install --roles; nothing where there are none. The trigger's function goes to the owner of
-- schema tintype, in whose name it runs.
CREATE OR REPLACE FUNCTION tintype.share(src tintype.source)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role    name;
    missing text;
BEGIN
    FOR role IN SELECT tintype.worker_roles() LOOP
        missing := tintype.grant_worker(src, role);
        IF missing IS NOT NULL THEN
            RAISE EXCEPTION 'role % lacks rights that pictures of % take', role, src.relation
                USING ERRCODE = 'insufficient_privilege', HINT = format('As the owner: %s and then this again.', missing);
        END IF;
    END LOOP;
    IF role IS NOT NULL THEN
        EXECUTE format('ALTER FUNCTION tintype.mark_%s() OWNER TO %I', src.id,
                       (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = 'tintype'));
    END IF;
END $$;

-- Takes back what share gave. The schema of the table stays open to the worker while another attached table is in it.
CREATE OR REPLACE FUNCTION tintype.unshare(src tintype.source)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role name;
    home oid := (SELECT c.relnamespace FROM pg_class c WHERE c.oid = src.relation);
BEGIN
    FOR role IN SELECT tintype.worker_roles() LOOP
        IF tintype.owns(src.relation) THEN
            EXECUTE format('REVOKE ALL ON %s FROM %I', src.relation, role);
        ELSIF home IS NOT NULL AND has_any_column_privilege(role, src.relation, 'SELECT') THEN
            RAISE WARNING 'role % keeps its rights on %', role, src.relation
                USING HINT = format('As its owner: REVOKE ALL ON %s FROM %I;', src.relation, role);
        END IF;
        IF pg_has_role((SELECT n.nspowner FROM pg_namespace n WHERE n.oid = home), 'USAGE')
           AND NOT EXISTS (SELECT FROM tintype.source s JOIN pg_class c ON c.oid = s.relation WHERE c.relnamespace = home AND s.id <> src.id) THEN
            EXECUTE format('REVOKE USAGE ON SCHEMA %s FROM %I', home::regnamespace, role);
        END IF;
    END LOOP;
END $$;
