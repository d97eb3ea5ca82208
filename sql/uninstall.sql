-- Takes everything away that tintype put into this database: triggers, functions, views, tables, the schema. URLs in the rows
-- and objects in the store stay. Nothing is dropped with its dependents: where something of yours stands on tintype, this stops
-- and says so, and nothing has changed.
DO $$
DECLARE
    one  record;
    what text;
BEGIN
    SET LOCAL lock_timeout = '2s';
    FOR one IN SELECT s.relation FROM tintype.source s LOOP
        PERFORM tintype.detach(one.relation);
    END LOOP;
    -- Those of tables that no row names: a dump of the structure alone brings triggers back, and no rows.
    FOR one IN SELECT t.tgrelid::regclass AS relation, t.tgname AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE p.pronamespace = 'tintype'::regnamespace AND t.tgname IN ('tintype_insert', 'tintype_update', 'tintype_erased')
                  AND t.tgparentid = 0 LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.name, one.relation);
    END LOOP;
    FOR one IN SELECT p.oid::regprocedure AS function FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace LOOP
        EXECUTE format('DROP ROUTINE %s', one.function);
    END LOOP;
    FOR one IN SELECT c.oid::regclass AS view FROM pg_class c WHERE c.relnamespace = 'tintype'::regnamespace AND c.relkind = 'v' LOOP
        EXECUTE format('DROP VIEW %s', one.view);
    END LOOP;
    DROP TABLE tintype.change, tintype.job, tintype.image, tintype.worker, tintype.source, tintype.garbage, tintype.instance, tintype.backfill_run, tintype.migration;
    DROP SEQUENCE tintype.bell, tintype.lease;
    DROP SCHEMA tintype;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'something of yours stands on schema tintype: %', replace(what, E'\n', '; ')
        USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Drop or change it first. Nothing has been removed.';
END $$;
