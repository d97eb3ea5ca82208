-- Scans: backfill and the sweep walk a table in key order, a step at a time, and mark what they find.

-- One step of a scan: looks at up to `chunk` rows after key `after` (NULL: from the beginning) and marks those that `mode` asks for.
--   missing   rows without an entry in the ledger whose image column is empty
--   stale     every row, for the worker to see whether it would look different now; where `template` is given, those alone that differ from
--             the ledger in content, were not drawn with it, or have no entry
--   all       every row, drawn again even where nothing changed
--   changed   the sweep: rows whose content differs from the ledger, or whose URL was lost or never stood in this column, or that the row filter lets in again;
--             rows without an entry whose image column is empty only if `whole`; rows that left the filter, as time makes them, and
--             whose URL is to be taken out
-- `dry` counts and marks nothing; at most `most` rows are marked, and the step ends with the last of them. `last_key` is NULL when the
-- scan is at its end.
CREATE OR REPLACE FUNCTION tintype.scan(
    src tintype.source, mode text, after text, chunk integer, condition text DEFAULT NULL, template text DEFAULT NULL, dry boolean DEFAULT false, most bigint DEFAULT NULL,
    OUT scanned bigint, OUT marked bigint, OUT last_key text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    columns text;   -- the key's columns, for ORDER BY
    needed  text;   -- all that is compared, and no more: a role may have rights on some columns only
    differs text;
    keys    text[];
    seen    text[];
BEGIN
    SELECT string_agg(format('x.%I', k.name), ', ' ORDER BY k.n) INTO columns FROM unnest(src.key_columns) WITH ORDINALITY k(name, n);
    SELECT string_agg(DISTINCT format('x.%I', name), ', ') INTO needed
      FROM unnest(src.key_columns || tintype.drawn_columns(src) || src.image_column) AS name WHERE name IS NOT NULL;
    differs := CASE mode
        WHEN 'all'     THEN 'true'
        WHEN 'missing' THEN format('(i.key IS NULL OR i.outside OR (i.state = ''skipped'' AND i.content IS NULL)) AND coalesce(%s, '''') = ''''', coalesce('x.' || quote_ident(src.image_column) || '::text', 'NULL'))
        WHEN 'stale'   THEN CASE WHEN template IS NULL THEN 'true' ELSE format('(i.key IS NULL OR i.outside OR i.content IS DISTINCT FROM %s OR i.template IS DISTINCT FROM $3)', tintype.content_sql(src, 'x')) END
        WHEN 'changed' THEN format('CASE WHEN i.key IS NULL THEN %L::boolean AND coalesce(%s, '''') = '''' ELSE i.outside OR i.content IS DISTINCT FROM %s OR (i.in_row AND %s IS DISTINCT FROM %s)%s END',
            src.whole, coalesce('x.' || quote_ident(src.image_column) || '::text', 'NULL'), tintype.content_sql(src, 'x'),
            coalesce('x.' || quote_ident(src.image_column) || '::text', 'i.url'),
            CASE WHEN src.image_column IS NULL THEN 'i.url' ELSE format('coalesce(i.url, %L)', src.image_blank) END,
            CASE WHEN src.image_column IS NULL THEN '' ELSE format(' OR (i.state = ''ready'' AND i.url <> '''' AND NOT i.in_row AND coalesce(x.%I::text, '''') = '''')', src.image_column) END)
        END;
    BEGIN
        EXECUTE format($sql$
            WITH page AS MATERIALIZED (
                SELECT %8$s, %1$s AS tintype_key, %7$s AS tintype_wanted FROM %2$s x WHERE %3$s ORDER BY %4$s LIMIT %5$s)
            SELECT count(*), coalesce(array_agg(x.tintype_key ORDER BY %4$s), '{}'),
                   coalesce(array_agg(x.tintype_key ORDER BY %4$s) FILTER (WHERE (%6$s AND x.tintype_wanted) OR (%9$L AND i.in_row AND NOT x.tintype_wanted)), '{}')
              FROM page x LEFT JOIN tintype.image i ON i.source = $2 AND i.key = x.tintype_key
            $sql$, tintype.key_sql(src, 'x'), src.relation,
            CASE WHEN after IS NULL THEN 'true' ELSE tintype.after_sql(src, 'x', '$1') END, columns, chunk,
            differs, concat_ws(' AND ', tintype.wanted_sql(src), '(' || nullif(condition, '') || ')'), needed, mode = 'changed' AND src.unpublish)
          INTO scanned, seen, keys USING after, src.id, template;
    EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception THEN
        PERFORM tintype.complain_of_scan(src, condition);
        RAISE;
    END;
    IF cardinality(keys) > most THEN
        keys := keys[:most];
        scanned := coalesce(array_position(seen, keys[cardinality(keys)]), 0);
        last_key := coalesce(keys[cardinality(keys)], after);
    ELSIF scanned = chunk THEN
        last_key := seen[scanned];
    END IF;
    marked := cardinality(keys);
    IF NOT dry AND marked > 0 THEN
        IF mode = 'all' THEN  -- in key order, as publishers lock them
            PERFORM FROM tintype.image i WHERE i.source = src.id AND i.key = ANY (keys) ORDER BY i.key FOR UPDATE;
            UPDATE tintype.image i SET content = NULL WHERE i.source = src.id AND i.key = ANY (keys);
        END IF;
        INSERT INTO tintype.change (source, key, priority) SELECT src.id, k, 10 FROM unnest(keys) AS k;
        PERFORM tintype.ring();
    END IF;
END $$;

-- Says why a table cannot be walked, where that is known: it is broken, or the condition is no condition over it.
CREATE OR REPLACE FUNCTION tintype.complain_of_scan(src tintype.source, condition text)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    trouble record;
BEGIN
    SELECT d.detail, d.fix INTO trouble FROM tintype.doctor_columns(src) d WHERE d.severity = 'error' AND d.code <> 'tables.problem' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is broken: %', src.name, trouble.detail USING ERRCODE = 'object_not_in_prerequisite_state', HINT = trouble.fix;
    ELSIF nullif(condition, '') IS NOT NULL THEN
        PERFORM tintype.try_condition(src.relation, 'condition', condition);
    END IF;
END $$;

-- The source of an attached table, or the error that says which tables are attached.
CREATE OR REPLACE FUNCTION tintype.attached(relation regclass)
RETURNS tintype.source LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    src tintype.source;
BEGIN
    SELECT s.* INTO src FROM tintype.source s WHERE s.relation = relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached', relation
            USING ERRCODE = 'undefined_object', HINT = format('tintype attach %s', relation);
    END IF;
    RETURN src;
END $$;

-- Forgets up to `chunk` ledger entries after key `after` whose rows are gone, none where they may only be hidden; their objects in the
-- store are garbage now. An entry is locked before its row is looked for once more: a row that came back under the same key may just
-- be published, and keeps it.
CREATE OR REPLACE FUNCTION tintype.prune(src tintype.source, after text, chunk integer, OUT pruned bigint, OUT last_key text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    scanned bigint;
    gone    text[];
    missing text := format('NOT EXISTS (SELECT FROM %s x WHERE %s)', src.relation, tintype.match_sql(src, 'x', 'i.key'));
BEGIN
    pruned := 0;
    IF tintype.may_hide(src.relation) THEN
        RETURN;
    END IF;
    EXECUTE format($sql$
        WITH page AS MATERIALIZED (
            SELECT i.key FROM tintype.image i WHERE i.source = $1 AND i.key > $2 ORDER BY i.key LIMIT $3)
        SELECT array_agg(i.key) FILTER (WHERE %s), max(i.key), count(*) FROM page i
        $sql$, missing)
      INTO gone, last_key, scanned USING src.id, after, chunk;
    IF gone IS NOT NULL THEN
        PERFORM FROM tintype.image i WHERE i.source = src.id AND i.key = ANY (gone) ORDER BY i.key FOR UPDATE;
        EXECUTE format($sql$
            WITH forgotten AS (
                DELETE FROM tintype.image i WHERE i.source = $1 AND i.key = ANY ($2) AND %s RETURNING i.source, i.key, i.object)
            SELECT count(tintype.discard(f.object, f.source, f.key)) FROM forgotten f
            $sql$, missing)
          INTO pruned USING src.id, gone;
    END IF;
    IF scanned < chunk THEN
        last_key := NULL;
    END IF;
END $$;

-- The sources with a sweep under way, or whose last one ended an hour ago.
CREATE OR REPLACE FUNCTION tintype.due_sweeps()
RETURNS TABLE (id integer, name text) LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.id, s.name
      FROM tintype.source s JOIN pg_class c ON c.oid = s.relation
     WHERE NOT s.paused
       AND (s.swept_to IS NOT NULL OR s.pruned_to IS NOT NULL OR coalesce(s.swept_at, s.attached_at) < now() - interval '1 hour')
$$;

-- One step of the sweep of one source, from where the last step stood: first its rows against the ledger, then the ledger
-- against its rows. Returns how many rows it marked.
CREATE OR REPLACE FUNCTION tintype.sweep(source_id integer, chunk integer)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    src  tintype.source;
    step record;
BEGIN
    SELECT s.* INTO src FROM tintype.source s WHERE s.id = source_id AND NOT s.paused FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    BEGIN
        IF src.pruned_to IS NULL THEN
            SELECT * INTO step FROM tintype.scan(src, 'changed', src.swept_to, chunk);
            UPDATE tintype.source s
               SET swept_to = step.last_key, pruned_to = CASE WHEN step.last_key IS NULL THEN '' END
             WHERE s.id = source_id;
            RETURN step.marked;
        END IF;
        SELECT * INTO step FROM tintype.prune(src, src.pruned_to, chunk);
        UPDATE tintype.source s
           SET pruned_to = step.last_key, swept_at = CASE WHEN step.last_key IS NULL THEN now() ELSE s.swept_at END,
               problem = (SELECT t.words FROM tintype.policy_trouble(src, current_user) t WHERE t.broken)
         WHERE s.id = source_id;
    EXCEPTION
    WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
        RETURN 0;  -- somebody alters the table: the next step begins where this one did
    WHEN OTHERS OR query_canceled THEN
        -- A column was dropped, a right is missing: the view status shows it, the next turn is in an hour, and the others get theirs.
        RAISE WARNING 'tintype: % cannot be swept: %', src.name, SQLERRM;
        UPDATE tintype.source s SET swept_to = NULL, pruned_to = NULL, swept_at = now(), problem = SQLERRM WHERE s.id = source_id;
    END;
    RETURN 0;
END $$;
