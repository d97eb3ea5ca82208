-- Three roles, none of which can log in by itself; each is made where it is missing. Needs the right to create roles.
--   tintype_owner      owns schema tintype and all in it; the triggers run in its name
--   tintype_installer  may install, attach, detach, pause and uninstall: it acts as the owner
--   tintype_worker     may do what `tintype run` does, and read and write the columns of attached tables that this needs
-- A role of one of these names that is somebody else's is not taken over: its rights on attached tables would be taken away.
DO $$
DECLARE
    role name;
BEGIN
    FOREACH role IN ARRAY ARRAY['tintype_owner', 'tintype_installer', 'tintype_worker'] LOOP
        IF to_regrole(role) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXECUTE format('COMMENT ON ROLE %I IS ''made for tintype''', role);
        ELSIF shobj_description(to_regrole(role), 'pg_authid') IS DISTINCT FROM 'made for tintype' THEN
            RAISE EXCEPTION 'role % exists, and was not made for tintype', role USING ERRCODE = 'duplicate_object',
                HINT = format('Take another prefix, as in --roles my_tintype, or: COMMENT ON ROLE %I IS ''made for tintype''', role);
        END IF;
    END LOOP;
    IF NOT pg_has_role('tintype_installer', 'tintype_owner', 'USAGE') THEN
        GRANT tintype_owner TO tintype_installer;
    END IF;
    IF NOT pg_has_role(CURRENT_USER, 'tintype_installer', 'USAGE') THEN
        GRANT tintype_installer TO CURRENT_USER;  -- who installs now is to install the next version
    END IF;
END $$;
