-- Sources that draw pages: the address of each row's page, or the HTML template that is filled with it. A browser captures them.

-- The columns that an address names in braces, in its order.
CREATE OR REPLACE FUNCTION tintype.placeholders(url text)
RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(m[1]), '{}') FROM regexp_matches(url, '\{([^{}]*)\}', 'g') AS m
$$;

-- Whether the browser draws, rather than our own renderer: what a source's `draw` says. Qualified instead of a pinned search_path, so
-- that it is part of the statement that calls it and no call at all.
CREATE OR REPLACE FUNCTION tintype.by_browser(draw text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT draw OPERATOR(pg_catalog.=) ANY (ARRAY['page', 'html']) $$;

-- Whether a row has the whole address: {column} and nothing else.
CREATE OR REPLACE FUNCTION tintype.is_whole(url text)
RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT url ~ '^\{[^{}]+\}$' $$;

-- Whether an address can be asked for: http or https, and a row decides neither scheme nor host, nor a password. Or the row gives
-- all of it: {column} and nothing else.
CREATE OR REPLACE FUNCTION tintype.is_page_url(url text)
RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT tintype.is_whole(url) OR url ~* '^https?://[^/?#{}@[:space:]]+([/?#][^[:space:]]*)?$'
$$;

-- Completes and checks what a planned source says of its pages; `data` are the columns that a person named, '' among them none.
CREATE OR REPLACE FUNCTION tintype.plan_page(src tintype.source, data text[])
RETURNS tintype.source LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    near text;
BEGIN
    src.draw := CASE WHEN src.draw <> 'auto' THEN src.draw WHEN src.url IS NOT NULL THEN 'page' WHEN src.html IS NOT NULL THEN 'html' ELSE 'auto' END;
    src.data_columns := coalesce(array_remove(data, ''), '{}') || coalesce(tintype.placeholders(src.url), '{}');
    src.data_columns := ARRAY(SELECT d.name FROM unnest(src.data_columns) WITH ORDINALITY d(name, n) GROUP BY d.name ORDER BY min(d.n));
    IF src.draw = 'page' AND src.url IS NULL THEN
        RAISE EXCEPTION 'no address says where the page of a row of % is', src.relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it with --url ''https://app.example/posts/{slug}'', columns in braces (in SQL: url => ''...'').';
    ELSIF src.draw = 'html' AND src.html IS NULL THEN
        RAISE EXCEPTION 'no template says what to draw of a row of %', src.relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it with --html NAME, a file NAME.html of --looks (in SQL: html => ''NAME'').';
    ELSIF src.draw <> 'page' AND src.url IS NOT NULL OR src.draw <> 'html' AND src.html IS NOT NULL THEN
        RAISE EXCEPTION 'a picture of % cannot be drawn as % and captured as well', src.relation, src.draw
            USING ERRCODE = 'invalid_parameter_value', HINT = 'An address goes with --draw page, a template in HTML with --draw html.';
    ELSIF src.url IS NOT NULL AND NOT tintype.is_page_url(src.url) THEN
        RAISE EXCEPTION '% is not the address of a page', quote_literal(src.url)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Scheme and host are fixed, then come columns in braces: https://app.example/posts/{slug}; or {column} alone, which holds the whole address.'
                         || CASE WHEN strpos(src.url, '@') > 0 THEN ' Passwords go into a secret: --auth basic=NAME.' ELSE '' END;
    ELSIF tintype.is_whole(src.url) AND coalesce(src.capture->'auth', '[]') <> '[]' THEN
        RAISE EXCEPTION 'a row of % names the host of its page, and would get the secret of --auth for whom it names', src.relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write scheme and host into the address: https://app.example/{path}. Or leave the secret out.';
    ELSIF jsonb_typeof(src.capture) <> 'object' THEN
        RAISE EXCEPTION 'the options of a capture are no JSON object: %', src.capture USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = coalesce(src.capture->>'time_zone', 'UTC')) THEN
        SELECT tintype.nearest(src.capture->>'time_zone', array_agg(z.name)) INTO near FROM pg_timezone_names z;
        RAISE EXCEPTION 'there is no time zone %', quote_literal(src.capture->>'time_zone')
            USING ERRCODE = 'invalid_parameter_value', HINT = coalesce('Did you mean ' || near || '?', 'Name it as Europe/Berlin or UTC.');
    END IF;
    FOREACH name IN ARRAY src.data_columns LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = src.relation AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped) THEN
            SELECT tintype.nearest(name, array_agg(a.attname::text)) INTO near FROM pg_attribute a
             WHERE a.attrelid = src.relation AND a.attnum > 0 AND NOT a.attisdropped;
            RAISE EXCEPTION 'table % has no column % for the page', src.relation, quote_ident(name)
                USING ERRCODE = 'undefined_column', HINT = coalesce('Did you mean {' || near || '}?', 'Columns stand in braces: {slug}.');
        END IF;
    END LOOP;
    RETURN src;
END $$;
