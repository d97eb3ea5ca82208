-- All that the database can say of itself: SELECT * FROM tintype.doctor(). `tintype doctor` adds what only a process can see.

-- What the doctor finds, the worst first. `patience` is the age from which a transaction is long and a change waits for too long.
CREATE OR REPLACE FUNCTION tintype.doctor(patience interval DEFAULT '10 minutes')
RETURNS TABLE (code text, severity text, subject text, detail text, fix text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    src tintype.source;
BEGIN
    RETURN QUERY SELECT d.* FROM tintype.doctor_server() d;
    FOR src IN SELECT s.* FROM tintype.source s ORDER BY s.name LOOP
        IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = src.relation) THEN
            RETURN QUERY SELECT 'tables.dropped', 'error', src.name, 'the table was dropped', format('tintype detach %s', quote_ident(src.name));
            CONTINUE;
        END IF;
        BEGIN
            RETURN QUERY SELECT d.* FROM tintype.doctor_columns(src) d UNION ALL SELECT d.* FROM tintype.doctor_triggers(src) d
               UNION ALL SELECT d.* FROM tintype.doctor_rights(src) d UNION ALL SELECT d.* FROM tintype.doctor_host(src) d;
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT 'tables.unknown', 'error', src.name, 'it could not be looked at: ' || SQLERRM, NULL::text;
        END;
    END LOOP;
    RETURN QUERY SELECT d.* FROM tintype.doctor_work(patience) d;
    RETURN QUERY SELECT d.* FROM tintype.doctor_horizon(patience) d;
END $$;
