-- Takes the demo's blog out of a database that is not its own, however far it had come.
DO $$ BEGIN
    IF to_regclass('tintype.source') IS NOT NULL THEN
        PERFORM tintype.detach(s.relation) FROM tintype.source s WHERE s.relation = to_regclass('tintype_demo.posts');
    END IF;
END $$;
DROP TABLE IF EXISTS tintype_demo.posts;
DROP SCHEMA IF EXISTS tintype_demo;
