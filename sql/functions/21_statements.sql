-- The pieces of SQL that depend on a source: its key, its fingerprint, its triggers. Every identifier is quoted by the
-- server. All of them take the row's alias as `x`. Those that each picture needs several times are in plpgsql, which plans once a
-- session: a function in SQL is planned at each call, which cost half a millisecond a picture.

-- An expression for the key of row `x` as text: the plain value, or an array literal where the key has several columns.
-- Times are written in UTC and ISO form whatever the host session's TimeZone and DateStyle are, so that one row has one key.
CREATE OR REPLACE FUNCTION tintype.key_sql(src tintype.source, x text)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN count(*) = 1 THEN min(part)
                ELSE format('(ARRAY[%s])::pg_catalog.text', string_agg(part, ', ' ORDER BY n)) END
      FROM (SELECT k.n, format(CASE k.type
                WHEN 'timestamp with time zone'    THEN '(pg_catalog.to_jsonb(pg_catalog.timezone(''UTC'', %1$s.%2$I)) OPERATOR(pg_catalog.#>>) ''{}'')'
                WHEN 'timestamp without time zone' THEN '(pg_catalog.to_jsonb(%1$s.%2$I) OPERATOR(pg_catalog.#>>) ''{}'')'
                WHEN 'date'                        THEN '(pg_catalog.to_jsonb(%1$s.%2$I) OPERATOR(pg_catalog.#>>) ''{}'')'
                ELSE '(%1$s.%2$I)::pg_catalog.text' END, x, k.name) AS part
              FROM unnest(src.key_columns, src.key_types) WITH ORDINALITY k(name, type, n)) parts
$$;

-- Whether the text that key_sql gives a column of this type is the same under every setting of a session.
CREATE OR REPLACE FUNCTION tintype.steady(type text)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT type IN ('timestamp with time zone', 'timestamp without time zone', 'date')
           OR EXISTS (SELECT FROM pg_type t JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
                       WHERE t.oid = to_regtype(type)
                         AND (b.typtype = 'e' OR (b.typtype = 'b' AND b.typcategory = 'S')
                              OR b.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'uuid'::regtype,
                                           'bool'::regtype, 'oid'::regtype, 'inet'::regtype, 'cidr'::regtype)))
$$;

-- How values of a key's type are compared: the operator of its default order, which is the one that indexes know and ORDER BY means. That
-- of a type from elsewhere, such as citext, is not in pg_catalog; a plain `=` would be that of a type to which it casts, find no index
-- and tell apart what the key does not. Types of pg_catalog's own are written without a schema, and need no look.
CREATE OR REPLACE FUNCTION tintype.operator_sql(type text, plain text)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    IF strpos(type, '.') > 0 THEN
        SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) INTO found
          FROM pg_type t
          JOIN pg_opclass c ON c.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid) AND c.opcdefault AND c.opcmethod = (SELECT m.oid FROM pg_am m WHERE m.amname = 'btree')
          JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
                        AND a.amopstrategy = CASE plain WHEN '=' THEN 3 WHEN '>=' THEN 4 WHEN '>' THEN 5 END
          JOIN pg_operator o ON o.oid = a.amopopr
          JOIN pg_namespace n ON n.oid = o.oprnamespace
         WHERE t.oid = to_regtype(type);
    END IF;
    RETURN coalesce(found, plain);
END $$;

-- A condition that finds the row `x` by `key` (an SQL expression of type text). The key is cast, so the host's index serves. A type with an
-- operator of its own may call different texts equal, as citext does: there the texts are compared as well, since a row that writes its
-- key otherwise now is marked and drawn under that.
CREATE OR REPLACE FUNCTION tintype.match_sql(src tintype.source, x text, key text)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    equal text[] := ARRAY(SELECT tintype.operator_sql(k.type, '=') FROM unnest(src.key_types) WITH ORDINALITY k(type, n) ORDER BY k.n);
    found text;
BEGIN
    IF cardinality(src.key_columns) = 1 THEN
        found := format('%s.%I %s (%s)::%s', x, src.key_columns[1], equal[1], key, src.key_types[1]);
    ELSE
        SELECT string_agg(format('%s.%I %s ((%s)::pg_catalog.text[])[%s]::%s', x, k.name, equal[k.n], key, k.n, k.type), ' AND ' ORDER BY k.n) INTO found
          FROM unnest(src.key_columns, src.key_types) WITH ORDINALITY k(name, type, n);
    END IF;
    RETURN found || CASE WHEN '=' = ALL (equal) THEN '' ELSE format(' AND %s OPERATOR(pg_catalog.=) (%s)', tintype.key_sql(src, x), key) END;
END $$;

-- A condition that row `x` comes after `key` in the key's order. The columns of a key are compared as one row, as an index has them; where a
-- type has operators of its own, column by column, the first once more by itself, for the index.
CREATE OR REPLACE FUNCTION tintype.after_sql(src tintype.source, x text, key text)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
    ends  text[];
    found text := 'false';
BEGIN
    SELECT array_agg(format('%s.%I', x, k.name) ORDER BY k.n),
           array_agg(format(CASE WHEN cardinality(src.key_columns) = 1 THEN '(%1$s)::%2$s' ELSE '((%1$s)::pg_catalog.text[])[%3$s]::%2$s' END, key, k.type, k.n) ORDER BY k.n)
      INTO names, ends FROM unnest(src.key_columns, src.key_types) WITH ORDINALITY k(name, type, n);
    IF NOT EXISTS (SELECT FROM unnest(src.key_types) AS type WHERE tintype.operator_sql(type, '>') <> '>') THEN
        RETURN format('(%s) > (%s)', array_to_string(names, ', '), array_to_string(ends, ', '));
    END IF;
    FOR n IN REVERSE cardinality(names)..1 LOOP
        found := format('(%1$s %2$s %4$s OR (%1$s %3$s %4$s AND %5$s))', names[n], tintype.operator_sql(src.key_types[n], '>'),
                        tintype.operator_sql(src.key_types[n], '='), ends[n], found);
    END LOOP;
    RETURN CASE WHEN cardinality(names) = 1 THEN format('%s %s %s', names[1], tintype.operator_sql(src.key_types[1], '>'), ends[1])
                ELSE format('%s %s %s AND %s', names[1], tintype.operator_sql(src.key_types[1], '>='), ends[1], found) END;
END $$;

-- What an error means that the host's table gives to a write of ours: `locked` where somebody is before us, `refused` where it is the row
-- or its triggers, NULL where the server has trouble of its own (a full disk, a shutdown), for which no row is to blame: raise it again.
CREATE OR REPLACE FUNCTION tintype.blame(state text)
RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN state IN ('55P03', '40P01', '40001') THEN 'locked'  -- a lock that was not to be had, a deadlock, a serialization failure
                WHEN left(state, 2) NOT IN ('53', '57', '58') THEN 'refused' END
$$;

-- The columns that the picture is made from.
CREATE OR REPLACE FUNCTION tintype.drawn_columns(src tintype.source)
RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN array_remove(ARRAY[src.title_column, src.body_column, src.author_column, src.date_column, src.tags_column, src.look_column], NULL)
           || src.data_columns;
END $$;

-- The columns of the host's that tintype writes.
CREATE OR REPLACE FUNCTION tintype.written_columns(src tintype.source)
RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_remove(ARRAY[src.image_column, src.status_column], NULL)
$$;

-- The fingerprint of what is drawn from row `x`: 128 bits of SHA-256 over the columns' text. The text of a ROW quotes its
-- parts and tells NULL from '', so no two contents read the same. To SQL_ASCII nothing is converted: the bytes are the database's
-- own, whatever encoding the client has, and may be no valid text.
CREATE OR REPLACE FUNCTION tintype.content_sql(src tintype.source, x text)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN format('substr(encode(sha256(convert_to(ROW(%s)::text, ''SQL_ASCII'')), ''hex''), 1, 32)',
        (SELECT string_agg(format('%s.%I::text', x, name), ', ') FROM unnest(tintype.drawn_columns(src)) AS name));
END $$;

-- Whether row `x` is wanted at all.
CREATE OR REPLACE FUNCTION tintype.wanted_sql(src tintype.source)
RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN src.row_filter IS NULL THEN 'true' ELSE format('((%s) IS TRUE)', src.row_filter) END;
END $$;

-- The columns whose change calls for a new picture: those drawn, the key, and those that the row filter speaks of; never one that
-- tintype writes itself.
CREATE OR REPLACE FUNCTION tintype.watched_columns(src tintype.source)
RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(a.attname::text ORDER BY a.attnum)
      FROM pg_attribute a
     WHERE a.attrelid = src.relation AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attname = ANY (tintype.written_columns(src))
       AND (a.attname = ANY (tintype.drawn_columns(src) || src.key_columns)
            OR strpos(lower(src.row_filter), lower(a.attname)) > 0 OR strpos(src.row_filter, quote_ident(a.attname)) > 0)
$$;

-- Whether a BEFORE trigger of the host's may change a drawn column behind an UPDATE that does not name it. Its function's
-- text is searched for the columns' names: too often yes is safe, and only costs the column list.
CREATE OR REPLACE FUNCTION tintype.host_rewrites(src tintype.source)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid, unnest(tintype.drawn_columns(src)) AS name
         WHERE t.tgrelid = src.relation AND NOT t.tgisinternal
           AND t.tgtype & 19 = 19                       -- FOR EACH ROW, BEFORE, UPDATE
           AND strpos(lower(p.prosrc), lower(name)) > 0)
$$;

-- The function and the triggers of one source, as one script. CREATE OR REPLACE throughout, so it can be run again.
CREATE OR REPLACE FUNCTION tintype.trigger_sql(src tintype.source)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    watched text[] := tintype.watched_columns(src);
    differs text;
    list    text;
BEGIN
    -- Text is compared as bytes: citext and loose collations call different texts equal, json has no equality at all.
    SELECT string_agg(format(CASE WHEN t.typcategory IN ('D', 'N', 'B') OR t.typname = 'uuid' THEN 'OLD.%1$I IS DISTINCT FROM NEW.%1$I'
                                  ELSE 'OLD.%1$I::text COLLATE "C" IS DISTINCT FROM NEW.%1$I::text COLLATE "C"' END, a.attname), ' OR ' ORDER BY a.attnum)
      INTO differs
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = src.relation AND a.attname = ANY (watched);
    SELECT ' OF ' || string_agg(quote_ident(name), ', ') INTO list FROM unnest(watched) AS name;
    RETURN tintype.marker_sql(src) || format($sql$
-- AFTER, so that the mark commits with the row or not at all. A URL written to the image column fires none of them; one that is
-- erased, as by an ORM that saves a whole row as it had read it, does, and is written back without being drawn again.
CREATE OR REPLACE TRIGGER tintype_insert AFTER INSERT ON %1$s
    FOR EACH ROW EXECUTE FUNCTION tintype.mark_%2$s();
CREATE OR REPLACE TRIGGER tintype_update AFTER UPDATE%3$s ON %1$s
    FOR EACH ROW WHEN (%4$s) EXECUTE FUNCTION tintype.mark_%2$s();
$sql$, src.relation, src.id, CASE WHEN tintype.host_rewrites(src) THEN '' ELSE list END, differs)
    || CASE WHEN src.image_column IS NULL THEN '' ELSE format($sql$CREATE OR REPLACE TRIGGER tintype_erased AFTER UPDATE OF %3$I ON %1$s
    FOR EACH ROW WHEN (coalesce(NEW.%3$I::text, '') = '' AND OLD.%3$I::text <> '') EXECUTE FUNCTION tintype.mark_%2$s();
$sql$, src.relation, src.id, src.image_column) END;
END $fn$;

-- Whether changes of an attached table may have gone unmarked: a trigger that it has to have is gone or switched off, be it in one partition.
CREATE OR REPLACE FUNCTION tintype.unwatched(src tintype.source)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = src.relation AND t.tgname IN ('tintype_insert', 'tintype_update', 'tintype_erased'))
           < CASE WHEN src.image_column IS NULL THEN 2 ELSE 3 END
        OR EXISTS (SELECT FROM pg_trigger t
                    WHERE t.tgrelid IN (SELECT src.relation UNION SELECT f.relid FROM pg_partition_tree(src.relation) f)
                      AND t.tgname IN ('tintype_insert', 'tintype_update', 'tintype_erased') AND t.tgenabled IN ('D', 'R'))
$$;

-- The trigger function alone: what an upgrade replaces without touching the host's table. Settings are pinned only for keys
-- whose text depends on them. The guard is a subtransaction: a microsecond or two a row, eight bytes of WAL, and a transaction number;
-- a source that is strict goes without.
CREATE OR REPLACE FUNCTION tintype.marker_sql(src tintype.source)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT format($sql$
-- Marks a changed row of %4$s. Owner: tintype; to switch it off: ALTER TABLE %4$s DISABLE TRIGGER tintype_insert (and
-- tintype_update, tintype_erased), or SELECT tintype.detach(%5$s). SECURITY DEFINER, because the application's role has no rights in schema
-- tintype. Everything is qualified, operators too, in place of a pinned search_path, which costs 10 us a call. First the mark,
-- then the bell: a worker that falls asleep sets the bell before it looks, so one of the two always sees the other. %7$s
CREATE OR REPLACE FUNCTION tintype.mark_%2$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER%1$s AS %6$s
BEGIN
    INSERT INTO tintype.change (source, key) VALUES (%2$s, %3$s);
    IF pg_catalog.pg_sequence_last_value('tintype.bell'::pg_catalog.regclass)
       OPERATOR(pg_catalog.>) pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::pg_catalog.int8 THEN
        PERFORM pg_catalog.pg_notify('tintype', '');
    END IF;
    RETURN NULL;
%8$sEND %6$s;
REVOKE ALL ON FUNCTION tintype.mark_%2$s() FROM PUBLIC;
$sql$, (SELECT E'\n    SET timezone = ''UTC'' SET datestyle = ''ISO'' SET intervalstyle = ''postgres'' SET bytea_output = ''hex'' SET extra_float_digits = 1'
          FROM unnest(src.key_types) AS type WHERE NOT tintype.steady(type) LIMIT 1),
       src.id, tintype.key_sql(src, 'NEW'),
       translate(src.relation::text, E'\n\r', '  '), quote_literal(translate(src.relation::text, E'\n\r', '  ')),
       (SELECT tag FROM generate_series(0, 9) n, concat('$mark', repeat('_', n), '$') AS tag
         WHERE strpos(tintype.key_sql(src, 'NEW'), tag) = 0 ORDER BY n LIMIT 1),
       CASE WHEN src.strict THEN 'Strict: an error fails
-- the host''s write, because the table was attached so.'
            ELSE 'An error
-- is logged and swallowed: the host''s write never fails because of tintype, and the sweep finds the row later.' END,
       CASE WHEN src.strict THEN '' ELSE $guard$EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'tintype: a change of % was not marked: %', TG_RELID::pg_catalog.regclass, SQLERRM;
    RETURN NULL;
$guard$ END)
$fn$;
