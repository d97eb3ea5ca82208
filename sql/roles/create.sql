-- Three roles, none of which can log in by itself; each is made where it is missing. Needs the right to create roles.
--   tintype_owner      owns schema tintype and all in it; the triggers run in its name
--   tintype_installer  may install, attach, detach, pause and uninstall: it acts as the owner
--   tintype_worker     may do what `tintype run` does, and read and write the columns of attached tables that this needs
DO $$ BEGIN
    IF to_regrole('tintype_owner') IS NULL THEN
        CREATE ROLE tintype_owner NOLOGIN;
    END IF;
    IF to_regrole('tintype_installer') IS NULL THEN
        CREATE ROLE tintype_installer NOLOGIN;
    END IF;
    IF to_regrole('tintype_worker') IS NULL THEN
        CREATE ROLE tintype_worker NOLOGIN;
    END IF;
    IF NOT pg_has_role('tintype_installer', 'tintype_owner', 'USAGE') THEN
        GRANT tintype_owner TO tintype_installer;
    END IF;
    IF NOT pg_has_role(CURRENT_USER, 'tintype_installer', 'USAGE') THEN
        GRANT tintype_installer TO CURRENT_USER;  -- who installs now is to install the next version
    END IF;
END $$;
