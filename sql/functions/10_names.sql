-- Finding what a person meant: tables and columns by name, and the nearest right name where there is none.

-- The name in `names` most like `wanted` (Sorensen-Dice over pairs of letters, 0 to 1), or NULL when none is near 0.4.
CREATE OR REPLACE FUNCTION tintype.nearest(wanted text, names text[])
RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH pairs AS (
        SELECT name, array(SELECT substr(lower(name), i, 2) FROM generate_series(1, greatest(length(name) - 1, 1)) i) AS p,
               array(SELECT substr(lower(wanted), i, 2) FROM generate_series(1, greatest(length(wanted) - 1, 1)) i) AS w
          FROM unnest(names) AS name
    ), likeness AS (
        SELECT name, 2.0 * (SELECT count(*) FROM (SELECT unnest(p) INTERSECT SELECT unnest(w)) both_have)
                     / (cardinality(p) + cardinality(w)) AS score
          FROM pairs
    )
    SELECT name FROM likeness WHERE score >= 0.4 ORDER BY score DESC, name LIMIT 1
$$;

-- A table as a person types it: its schema only where that is not public.
CREATE OR REPLACE FUNCTION tintype.short_name(relation regclass)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;

-- The table that `wanted` names, as psql would read it ("Posts" with its quotes) or as it is written in the catalog (Posts).
-- Does not depend on search_path: an unqualified name is looked for in every schema, and must be the only one, or in public,
-- where psql's reading goes before the other.
CREATE OR REPLACE FUNCTION tintype.find_table(wanted text)
RETURNS regclass LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[];
    found regclass[];
    in_public boolean;
    near  text;
BEGIN
    BEGIN
        parts := parse_ident(wanted);
    EXCEPTION WHEN invalid_parameter_value THEN
        parts := ARRAY[wanted];
    END;
    SELECT array_agg(c.oid::regclass ORDER BY (n.nspname = 'public') DESC, (c.relname = parts[cardinality(parts)]) DESC, n.nspname), bool_or(n.nspname = 'public')
      INTO found, in_public
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND n.nspname NOT IN ('information_schema', 'tintype') AND n.nspname NOT LIKE 'pg\_%'
       AND ((c.relname = parts[cardinality(parts)] AND (cardinality(parts) = 1 OR n.nspname = parts[cardinality(parts) - 1]))
            OR c.relname = wanted OR n.nspname || '.' || c.relname = wanted);
    IF cardinality(found) = 1 OR in_public THEN
        RETURN found[1];
    ELSIF cardinality(found) > 1 THEN
        RAISE EXCEPTION 'table % is in more than one schema: %', wanted, array_to_string(found, ', ')
            USING ERRCODE = 'ambiguous_alias', HINT = 'Name one of them with its schema.';
    END IF;
    SELECT tintype.nearest(parts[cardinality(parts)], array_agg(c.relname::text)) INTO near
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'tintype') AND n.nspname NOT LIKE 'pg\_%';
    RAISE EXCEPTION 'table % does not exist in database %', wanted, current_database()
        USING ERRCODE = 'undefined_table',
              HINT = CASE WHEN near IS NULL THEN 'List the tables with \dt in psql, and check that this is the right database.'
                          ELSE format('Did you mean %s?', near) END;
END $$;
