-- Reading one row: what the picture is made from, and its fingerprint, in one statement.

-- No row comes back when the key names none (any more). Times are text in UTC and ISO form. `data` is in the order of data_columns.
CREATE OR REPLACE FUNCTION tintype.read_row(src tintype.source, key text)
RETURNS TABLE (wanted boolean, content text, title text, body text, author text, date text, tags text, look text, current_image text, data text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    columns text;
    data    text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = src.relation) THEN
        RAISE EXCEPTION 'table % was dropped', src.name
            USING ERRCODE = 'undefined_table', HINT = format('tintype detach %s', src.name);
    END IF;
    SELECT string_agg(coalesce('x.' || quote_ident(name) || '::text', 'NULL::text'), ', ' ORDER BY n) INTO columns
      FROM unnest(ARRAY[src.title_column, src.body_column, src.author_column, src.date_column, src.tags_column, src.look_column, src.image_column])
           WITH ORDINALITY c(name, n);
    SELECT string_agg(format('x.%I::text', name), ', ' ORDER BY n) INTO data FROM unnest(src.data_columns) WITH ORDINALITY c(name, n);
    RETURN QUERY EXECUTE format('SELECT %s, %s, %s, ARRAY[%s]::text[] FROM %s x WHERE %s',
        tintype.wanted_sql(src), tintype.content_sql(src, 'x'), columns, data, src.relation, tintype.match_sql(src, 'x', '$1')) USING key;
END $$;

-- Whether the row with `key` is there and its filter wants it: one look by the host's own key, for who is about to show its picture.
CREATE OR REPLACE FUNCTION tintype.wants(src tintype.source, key text)
RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres'
    SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    wanted boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = src.relation) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT %s FROM %s x WHERE %s', tintype.wanted_sql(src), src.relation, tintype.match_sql(src, 'x', '$1')) INTO wanted USING key;
    RETURN coalesce(wanted, false);
END $$;

-- A text as the bytes of its UTF-8, or as it is in a database without an encoding, where it may be anything and could not be sent.
-- Qualified instead of a pinned search_path, so that it is part of the statement that calls it and no call at all.
CREATE OR REPLACE FUNCTION tintype.bytes(words text)
RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.convert_to(words, CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)
$$;
