-- What attach would do: checks a table and its columns against the catalog, proposes what was left out, and returns the
-- `source` row without storing it. Every complaint names the thing, the place, and what to do instead.

-- Whether a column of this type can play `role`.
CREATE OR REPLACE FUNCTION tintype.fits(role text, type oid)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE role WHEN 'date' THEN t.typcategory IN ('D', 'S')
                     WHEN 'tags' THEN t.typcategory IN ('A', 'S') OR t.typname IN ('json', 'jsonb')
                     WHEN 'look' THEN t.typcategory IN ('E', 'S') AND t.typname <> 'char'
                     WHEN 'status' THEN t.typcategory IN ('E', 'S') AND t.typname <> 'char'
                     ELSE t.typcategory = 'S' AND t.typname <> 'char' END
      FROM pg_type t WHERE t.oid = type
$$;

-- The columns of `relation` whose names mean `role` to most applications, best first; only types that fit.
CREATE OR REPLACE FUNCTION tintype.candidates(relation regclass, role text)
RETURNS SETOF text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.attname::text
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      JOIN unnest(CASE role
             WHEN 'body'   THEN '{bodymarkdown,bodymd,contentmarkdown,contentmd,markdown,body,bodytext,content,contents,posttext,text,article,raw}'
             WHEN 'title'  THEN '{title,headline,heading,subject,name}'
             WHEN 'author' THEN '{author,authorname,byline,writer,username}'
             WHEN 'date'   THEN '{publishedat,publishedon,publisheddate,pubdate,published,postedat,date,insertedat,createdat,createdon,created}'
             WHEN 'tags'   THEN '{tags,taglist,tagnames,keywords,topics}'
             WHEN 'image'  THEN '{ogimageurl,ogimage,socialimageurl,socialimage,shareimageurl,shareimage,cardimageurl,cardimage,previewimageurl,previewimage,coverimageurl,coverimage,coverurl,cardurl,imageurl,image,pictureurl,picture,screenshoturl,thumbnailurl,thumbnail}'
           END::text[]) WITH ORDINALITY AS known(name, rank)
        ON known.name = regexp_replace(lower(a.attname), '[^a-z0-9]', '', 'g')
     WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND tintype.fits(role, a.atttypid)
       AND (role <> 'image' OR a.attgenerated = '' AND coalesce(nullif(a.atttypmod, -1), nullif(t.typtypmod, -1), 1000) - 4 >= 120)
     ORDER BY known.rank, a.attnum
$$;

-- The words that a status column cannot hold: labels that its enum has not (`skipped` may be missing), or texts too long for it.
CREATE OR REPLACE FUNCTION tintype.status_lacks(relation regclass, name text)
RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT w FROM unnest('{pending,processing,ready,failed}'::text[]) w
                  WHERE CASE WHEN t.typtype = 'e' THEN NOT EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid AND e.enumlabel = w)
                             WHEN t.typname IN ('varchar', 'bpchar') THEN a.atttypmod > 0 AND length(w) > a.atttypmod - 4
                             ELSE false END)
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = relation AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The column for `role`: what was given, checked; '' means none; NULL is proposed where `propose` says so. Columns that are `taken`, since
-- the picture is made from them, are offered to nobody who mistypes the name of one to write to.
DROP FUNCTION IF EXISTS tintype.choose_column(regclass, text, text, boolean);
CREATE OR REPLACE FUNCTION tintype.choose_column(relation regclass, role text, given text, propose boolean, taken text[] DEFAULT '{}')
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    col   record;
    names text[];
    near  text;
BEGIN
    IF given IS NULL THEN
        RETURN CASE WHEN propose THEN (SELECT c FROM tintype.candidates(relation, role) c LIMIT 1) END;
    ELSIF given = '' THEN
        RETURN NULL;
    END IF;
    SELECT a.*, format_type(a.atttypid, a.atttypmod) AS type,
           coalesce(nullif(a.atttypmod, -1), nullif(t.typtypmod, -1)) - 4 AS length, t.typname IN ('varchar', 'bpchar') OR t.typbasetype <> 0 AS limited
      INTO col FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = relation AND a.attname = given AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO names FROM pg_attribute a
          JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND tintype.fits(role, a.atttypid) AND NOT a.attname = ANY (taken)
           AND (role NOT IN ('image', 'status') OR a.attgenerated = '')
           AND (role <> 'image' OR coalesce(nullif(a.atttypmod, -1), nullif(t.typtypmod, -1), 1000) - 4 >= 120);
        near := tintype.nearest(given, names);
        RAISE EXCEPTION 'table % has no column % for the %', relation, quote_ident(given), role
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce('Did you mean ' || quote_ident(near) || '? ', '')
                         || coalesce('Columns that would fit: ' || array_to_string(names, ', ') || '.',
                                     CASE WHEN role IN ('image', 'status') THEN format('Add it: ALTER TABLE %s ADD COLUMN %I text%s; ', relation, given, CASE role WHEN 'status' THEN ' DEFAULT ''pending''' ELSE '' END) END
                                     || 'or leave --' || CASE role WHEN 'image' THEN 'image' ELSE 'status-column' END || ' out and read tintype.image.',
                                     'No column of this table would fit; leave --' || CASE WHEN role IN ('look', 'status') THEN role || '-column' ELSE role END || ' out or add one.');
    ELSIF NOT tintype.fits(role, col.atttypid) THEN
        RAISE EXCEPTION 'column % of % is %, which cannot serve as the %', quote_ident(given), relation, col.type, role
            USING ERRCODE = 'datatype_mismatch',
                  HINT = CASE role WHEN 'image' THEN 'The URL needs a text column: ALTER TABLE ' || relation || ' ADD COLUMN og_image_url text; or leave --image out and read tintype.image.'
                                   WHEN 'date' THEN 'A date, a timestamp or a text column is needed.'
                                   WHEN 'tags' THEN 'An array, a json or a text column is needed.'
                                   WHEN 'look' THEN 'A text or an enum column is needed.'
                                   WHEN 'status' THEN 'A text column is needed, or an enum of pending, processing, ready, failed and skipped.'
                                   ELSE 'A text column is needed.' END;
    ELSIF role IN ('image', 'status') AND col.attgenerated <> '' THEN
        RAISE EXCEPTION 'column % of % is generated and cannot be written', quote_ident(given), relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name an ordinary text column, or leave --image out and read tintype.image.';
    ELSIF role = 'status' AND tintype.status_lacks(relation, given) <> '{}' THEN
        RAISE EXCEPTION 'the type of column % of % does not know: %', quote_ident(given), relation, array_to_string(tintype.status_lacks(relation, given), ', ')
            USING ERRCODE = 'datatype_mismatch', HINT = (SELECT string_agg(format('ALTER TYPE %s ADD VALUE %L;', col.type, label), ' ') FROM unnest(tintype.status_lacks(relation, given)) AS label);
    ELSIF role = 'image' AND col.limited AND col.length < 120 THEN
        RAISE EXCEPTION 'column % of % holds % characters, too few for a URL', quote_ident(given), relation, col.length
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE text;', relation, given);
    END IF;
    RETURN given;
END $$;

-- The columns of the key: those given, else the primary key, else the narrowest unique index without NULLs.
CREATE OR REPLACE FUNCTION tintype.choose_key(relation regclass, given text[])
RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen text[];
    near   text;
    name   text;
BEGIN
    SELECT k.names INTO chosen
      FROM pg_index i,
           LATERAL (SELECT array_agg(a.attname::text ORDER BY p.n) AS names, bool_and(a.attnotnull) AS solid
                      FROM unnest(i.indkey::int2[]) WITH ORDINALITY p(num, n)
                      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.num
                     WHERE p.n <= i.indnkeyatts) k
     WHERE i.indrelid = relation AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.solid
       AND (given IS NULL OR (k.names @> given AND given @> k.names))
     ORDER BY i.indisprimary DESC, cardinality(k.names), i.indexrelid
     LIMIT 1;
    IF chosen IS NOT NULL THEN
        RETURN chosen;
    ELSIF given IS NULL THEN
        RAISE EXCEPTION 'table % has no key: no primary key and no unique index on columns that are NOT NULL', relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Give it one: ALTER TABLE %s ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;', relation);
    END IF;
    FOREACH name IN ARRAY given LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped) THEN
            SELECT tintype.nearest(name, array_agg(a.attname::text)) INTO near FROM pg_attribute a
             WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
            RAISE EXCEPTION 'table % has no column % for the key', relation, quote_ident(name)
                USING ERRCODE = 'undefined_column', HINT = coalesce('Did you mean ' || quote_ident(near) || '?', 'Leave --key out to use the primary key.');
        END IF;
    END LOOP;
    RAISE EXCEPTION 'columns (%) do not identify a row of %', array_to_string(given, ', '), relation
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'A unique index on exactly these columns, all NOT NULL, is needed; leave --key out to use the primary key.';
END $$;

-- Refuses what cannot be watched, and says what to do instead.
CREATE OR REPLACE FUNCTION tintype.refuse_unwatchable(relation regclass)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    rel  record;
    base text;
    kin  regclass;
BEGIN
    SELECT c.relkind, c.relpersistence, n.nspname INTO rel
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table with oid %', relation::oid USING ERRCODE = 'undefined_table';
    ELSIF rel.relkind IN ('v', 'm') THEN
        SELECT string_agg(DISTINCT d.refobjid::regclass::text, ', ') INTO base
          FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
          JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p')
         WHERE r.ev_class = relation;
        RAISE EXCEPTION '% is a %, and its rows are written elsewhere', relation, CASE rel.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END
            USING ERRCODE = 'wrong_object_type', HINT = 'Attach the table that it reads: ' || coalesce(base, 'see its definition with \d+') || '.';
    ELSIF rel.relkind = 'f' THEN
        RAISE EXCEPTION '% is a foreign table: writes made at its home would go unseen', relation
            USING ERRCODE = 'wrong_object_type', HINT = 'Install tintype in the database where the table lives, and attach it there.';
    ELSIF rel.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a table', relation USING ERRCODE = 'wrong_object_type', HINT = 'Name a table.';
    ELSIF rel.relpersistence = 't' THEN
        RAISE EXCEPTION '% is a temporary table, which a worker cannot see', relation
            USING ERRCODE = 'wrong_object_type', HINT = 'Name a permanent table.';
    ELSIF rel.nspname IN ('pg_catalog', 'information_schema', 'tintype') THEN
        RAISE EXCEPTION '% belongs to schema %, not to an application', relation, rel.nspname
            USING ERRCODE = 'wrong_object_type', HINT = 'Name a table of your application.';
    END IF;
    IF rel.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = relation) THEN
        RAISE EXCEPTION '% has tables that inherit from it, whose rows share its keys', relation
            USING ERRCODE = 'wrong_object_type', HINT = 'Attach the tables that inherit from it, one by one.';
    END IF;
    -- A row of a partition is a row of its parent too: watched by both, it would have two pictures.
    SELECT s.relation INTO kin FROM tintype.source s JOIN pg_partition_ancestors(relation) a ON a.relid = s.relation
     WHERE s.relation <> relation LIMIT 1;
    IF kin IS NOT NULL THEN
        RAISE EXCEPTION '% is a partition of %, which is attached', relation, kin
            USING ERRCODE = 'wrong_object_type', HINT = 'Nothing is left to do: its rows are watched.';
    END IF;
    SELECT s.relation INTO kin FROM tintype.source s JOIN pg_partition_tree(relation) t ON t.relid = s.relation
     WHERE s.relation <> relation LIMIT 1;
    IF kin IS NOT NULL THEN
        RAISE EXCEPTION '% has the partition %, which is attached by itself', relation, kin
            USING ERRCODE = 'wrong_object_type', HINT = format('tintype detach %s, then attach the whole.', kin);
    END IF;
END $$;

-- Refuses a condition that cannot be asked of a table; `what` it is, in the words of whoever wrote it.
CREATE OR REPLACE FUNCTION tintype.try_condition(relation regclass, what text, condition text)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    complaint text;
    hints     text;
BEGIN
    EXECUTE format('SELECT FROM %s x WHERE (%s) LIMIT 0', relation, condition);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS complaint = MESSAGE_TEXT, hints = PG_EXCEPTION_HINT;
    RAISE EXCEPTION 'the % (%) cannot be used on %: %', what, condition, relation, complaint
        USING ERRCODE = 'invalid_parameter_value',
              HINT = concat_ws(' ', replace(nullif(hints, ''), '"x.', '"'),  -- x is our name for the row
                               'Write an SQL condition over the table''s columns; functions of your own need their schema before the name.');
END $$;

-- Checks everything and returns the source as attach would store it; id is NULL where the table is not attached yet.
-- What is left out (NULL) is found by its name, '' means none; the image column is only proposed where neither body nor
-- image is named, since to name a body alone means that the URL shall live in tintype.image.
CREATE OR REPLACE FUNCTION tintype.plan(
    relation regclass, body text DEFAULT NULL, image text DEFAULT NULL, title text DEFAULT NULL, author text DEFAULT NULL,
    date text DEFAULT NULL, tags text DEFAULT NULL, key text[] DEFAULT NULL, row_filter text DEFAULT NULL,
    draw text DEFAULT 'auto', look text DEFAULT 'night', theme text DEFAULT NULL, site text DEFAULT NULL, look_column text DEFAULT NULL,
    template text DEFAULT NULL, strict boolean DEFAULT false, unpublish boolean DEFAULT false,
    url text DEFAULT NULL, html text DEFAULT NULL, data text[] DEFAULT NULL, capture jsonb DEFAULT NULL, status text DEFAULT NULL)
RETURNS tintype.source LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    src tintype.source;
BEGIN
    PERFORM tintype.refuse_unwatchable(relation);
    SELECT s.id, s.paused, s.whole, s.attached_at INTO src.id, src.paused, src.whole, src.attached_at
      FROM tintype.source s WHERE s.relation = plan.relation;
    src.relation := relation;
    src.name := tintype.short_name(relation);
    src.key_columns := tintype.choose_key(relation, nullif(array_remove(key, ''), '{}'));
    -- -1, because a bare `character` or `bit` would mean a length of one.
    SELECT array_agg(format_type(a.atttypid, -1) ORDER BY k.n) INTO src.key_types
      FROM unnest(src.key_columns) WITH ORDINALITY k(name, n) JOIN pg_attribute a ON a.attrelid = relation AND a.attname = k.name;
    src.body_column   := tintype.choose_column(relation, 'body', body, true);
    src.title_column  := tintype.choose_column(relation, 'title', title, true);
    src.author_column := tintype.choose_column(relation, 'author', author, true);
    src.date_column   := tintype.choose_column(relation, 'date', date, true);
    src.tags_column   := tintype.choose_column(relation, 'tags', tags, true);
    src.look_column   := tintype.choose_column(relation, 'look', look_column, false);
    src.image_column  := tintype.choose_column(relation, 'image', image, body IS NULL, src.key_columns || tintype.drawn_columns(src));
    src.status_column := tintype.choose_column(relation, 'status', status, false, array_remove(src.key_columns || tintype.drawn_columns(src) || src.image_column, NULL));
    src.draw  := coalesce(draw, 'auto');
    src.look  := coalesce(look, 'night');
    src.theme := nullif(theme, '');
    src.template := nullif(template, '');
    src.site  := nullif(site, '');
    src."strict" := coalesce("strict", false);   -- (a reserved word of plpgsql)
    src.unpublish := coalesce(unpublish, false);
    src.row_filter := nullif(btrim(row_filter), '');
    src.url := nullif(btrim(url), '');
    src.html := nullif(btrim(html), '');
    src.capture := coalesce(capture, '{}');
    src := tintype.plan_page(src, data);
    IF src.body_column IS NULL AND src.title_column IS NULL AND src.data_columns = '{}' THEN
        RAISE EXCEPTION 'no column of % looks like a body or a title', relation
            USING ERRCODE = 'undefined_column', HINT = 'Name one with --body (in SQL: body => ''column'').';
    ELSIF src.image_column = ANY (src.key_columns || tintype.drawn_columns(src)) THEN
        RAISE EXCEPTION 'column % of % is read for the picture and cannot hold its URL as well', quote_ident(src.image_column), relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name another column with --image, or leave it out and read tintype.image.';
    ELSIF src.status_column = ANY (src.key_columns || tintype.drawn_columns(src) || src.image_column) THEN
        RAISE EXCEPTION 'column % of % has another part already and cannot hold the status as well', quote_ident(src.status_column), relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a column of its own with --status-column, or leave it out and read tintype.image.';
    ELSIF src.draw NOT IN ('auto', 'code', 'title', 'page', 'html') THEN
        RAISE EXCEPTION 'there is nothing to draw that is called %', quote_literal(src.draw)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: auto, code, title, page, html.';
    END IF;
    SELECT CASE WHEN a.attnotnull THEN '' END INTO src.image_blank
      FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = src.image_column;
    IF src.unpublish AND (src.row_filter IS NULL OR src.image_column IS NULL) THEN
        RAISE EXCEPTION 'no row of % could lose its URL: there is no %', relation, CASE WHEN src.row_filter IS NULL THEN 'row filter' ELSE 'image column' END
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Say with --where which rows are published, and with --image which column holds the URL.';
    ELSIF src.row_filter IS NOT NULL THEN
        PERFORM tintype.try_condition(relation, 'row filter', src.row_filter);
    END IF;
    RETURN src;
END $$;

-- The row filter that would keep drafts without a picture, where a column of the table is called as such columns are; NULL where none is.
-- Only proposed: what a row is shown to the world for, its owner knows.
CREATE OR REPLACE FUNCTION tintype.draft_filter(relation regclass)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(k.condition, a.attname)
      FROM pg_attribute a
      JOIN (VALUES (1, 'published', 'bool', '%I'), (2, 'is_published', 'bool', '%I'), (3, 'public', 'bool', '%I'), (4, 'is_public', 'bool', '%I'),
                   (5, 'visible', 'bool', '%I'), (6, 'draft', 'bool', 'NOT %I'), (7, 'is_draft', 'bool', 'NOT %I'), (8, 'hidden', 'bool', 'NOT %I'),
                   (9, 'published_at', 'timestamp', '%I IS NOT NULL'), (10, 'deleted_at', 'timestamp', '%I IS NULL')) AS k(rank, name, type, condition)
        ON k.name = a.attname
     WHERE a.attrelid = draft_filter.relation AND a.attnum > 0 AND NOT a.attisdropped
       AND (format_type(a.atttypid, NULL) LIKE k.type || '%') AND (k.type = 'bool' OR NOT a.attnotnull)
     ORDER BY k.rank LIMIT 1
$$;
