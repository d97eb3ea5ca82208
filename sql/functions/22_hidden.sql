-- Row-level security: to a role that a policy keeps from a row it looks deleted. What is hidden is not gone, so whatever would
-- forget a row asks here first.

-- Which rows of a table its policies open to `role`, as far as the catalog tells: `all`, `some` or `none`. `command` is r to read
-- and w to write. Only a policy whose condition is plainly `true` counts as all.
CREATE OR REPLACE FUNCTION tintype.open_rows(relation regclass, role name, command "char")
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT c.relrowsecurity OR r.rolsuper OR r.rolbypassrls
                     OR (NOT c.relforcerowsecurity AND pg_has_role(r.oid, c.relowner, 'USAGE')) THEN 'all'
                WHEN p.permitted IS NOT TRUE THEN 'none'
                WHEN p.whole AND p.narrowed IS NOT TRUE THEN 'all'
                ELSE 'some' END
      FROM pg_class c JOIN pg_roles r ON r.rolname = role,
           LATERAL (SELECT bool_or(q.polpermissive) AS permitted, bool_or(q.polpermissive AND q.condition = 'true') AS whole,
                           bool_or(NOT q.polpermissive AND q.condition <> 'true') AS narrowed
                      FROM (SELECT p.polpermissive, pg_get_expr(p.polqual, p.polrelid) AS condition
                              FROM pg_policy p
                             WHERE p.polrelid = c.oid AND p.polcmd IN ('*', command) AND p.polqual IS NOT NULL
                               AND EXISTS (SELECT FROM unnest(p.polroles) AS m WHERE m = 0 OR pg_has_role(r.oid, m, 'USAGE'))) q) p
     WHERE c.oid = relation
$$;

-- Whether a row that this role does not find may be there all the same.
CREATE OR REPLACE FUNCTION tintype.may_hide(relation regclass)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT row_security_active(relation) AND tintype.open_rows(relation, current_user, 'r') IS DISTINCT FROM 'all'
$$;

-- What row-level security means for `role` at work on a table, in words, with what to do; no words where it is in nobody's way.
-- `broken` where no row can have its picture.
CREATE OR REPLACE FUNCTION tintype.policy_trouble(src tintype.source, role name, OUT broken boolean, OUT words text, OUT hint text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    readable text := tintype.open_rows(src.relation, role, 'r');
    writable text := CASE WHEN tintype.written_columns(src) = '{}' THEN 'all' ELSE tintype.open_rows(src.relation, role, 'w') END;
BEGIN
    broken := readable = 'none' OR writable = 'none';
    words := CASE WHEN readable = 'none' THEN format('row-level security hides every row of %s from role %I', src.relation, role)
                  WHEN writable = 'none' THEN format('row-level security lets role %I write to no row of %s', role, src.relation)
                  WHEN readable = 'some' THEN format('row-level security may hide rows of %s from role %I: what it hides gets no picture, and entries of deleted rows stay in tintype.image',
                                                     src.relation, role)
                  WHEN writable = 'some' THEN format('row-level security may keep role %I from writing to rows of %s: these get no picture', role, src.relation) END;
    IF words IS NOT NULL THEN
        hint := format('As its owner: CREATE POLICY tintype ON %s TO %I USING (true);', src.relation, role);
    END IF;
END $$;

-- Puts on record that a row was not found where it may be hidden. What is on record already stays: a picture above all. Without a
-- fingerprint, so that the sweep marks the row once it is seen.
CREATE OR REPLACE FUNCTION tintype.note_unseen(source_id integer, row_key text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO tintype.image AS i (source, key, state, reason)
    VALUES (source_id, row_key, 'skipped', format('row-level security hides this row from role %I, or it is deleted', current_user))
    ON CONFLICT (source, key) DO UPDATE SET reason = excluded.reason, content = NULL, updated_at = now() WHERE i.state = 'skipped'
$$;

-- Fails where a row that is seen can never be locked, because a policy lets this role read it and not write to it: that looks
-- like a lock of the host's.
CREATE OR REPLACE FUNCTION tintype.require_writable(src tintype.source, row_key text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found bigint;
BEGIN
    IF NOT row_security_active(src.relation) THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s x WHERE %s FOR NO KEY UPDATE NOWAIT) locked', src.relation, tintype.match_sql(src, 'x', '$1'))
       INTO found USING row_key;
    IF found = 0 THEN
        RAISE EXCEPTION 'row-level security lets role % read this row of % and not write to it', current_user, src.relation
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('As its owner: CREATE POLICY tintype ON %s TO %I USING (true);', src.relation, current_user);
    END IF;
EXCEPTION WHEN lock_not_available THEN
    NULL;  -- the host does hold it
END $$;

-- How publish locks a row: not at all where it writes no column and this role may not write any, as FOR UPDATE would need. (In plpgsql,
-- because each picture asks.)
CREATE OR REPLACE FUNCTION tintype.lock_sql(src tintype.source)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN tintype.written_columns(src) = '{}' AND NOT has_any_column_privilege(src.relation, 'UPDATE') THEN ''
                ELSE 'FOR NO KEY UPDATE SKIP LOCKED' END;
END $$;
