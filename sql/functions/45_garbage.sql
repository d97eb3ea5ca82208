-- Garbage: objects in the store that no row shows any more. They are noted always and deleted only where the owner asks for it
-- (run --prune-after), after a grace period, by the installation that made them.
--
-- Deleting and drawing meet in this table, so that no URL of a deleted object is published. A worker condemns objects (commit),
-- deletes them, and then notes which was the last claim until then. Whoever publishes an object that is being deleted, or that
-- was stored under a claim from before its deletion, is sent back to draw and store it anew.

-- Notes that an object is superseded.
CREATE OR REPLACE FUNCTION tintype.discard(object text, source integer, key text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO tintype.garbage AS g (object, source, key) SELECT $1, $2, $3 WHERE $1 IS NOT NULL
    ON CONFLICT (object) DO UPDATE SET since = now(), deleted_at = NULL
$$;

-- Takes an object back into use that was stored under the claim `token`; false where it is or may be deleted.
CREATE OR REPLACE FUNCTION tintype.reclaim(object text, token bigint)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bin tintype.garbage;
BEGIN
    SELECT g.* INTO bin FROM tintype.garbage g WHERE g.object = reclaim.object FOR UPDATE;
    IF bin.condemned_at > now() - interval '10 minutes' OR token <= bin.lease THEN
        RETURN false;
    ELSIF bin.object IS NOT NULL THEN
        DELETE FROM tintype.garbage g WHERE g.object = reclaim.object;
    END IF;
    RETURN true;
END $$;

-- Up to `chunk` objects below `prefix` that have been garbage for longer than `grace` and that no entry of the ledger shows:
-- condemned, for the caller to delete at once and then to bury. One whose worker died meanwhile comes again after ten minutes.
CREATE OR REPLACE FUNCTION tintype.condemn(grace interval, prefix text, chunk integer)
RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM tintype.garbage g WHERE g.deleted_at < now() - interval '1 hour';
    WITH due AS MATERIALIZED (
        SELECT g.object, EXISTS (SELECT FROM tintype.image i WHERE i.object = g.object AND i.url IS NOT NULL) AS shown
          FROM tintype.garbage g
         WHERE g.since < now() - grace AND g.deleted_at IS NULL AND starts_with(g.object, prefix)
           AND (g.condemned_at IS NULL OR g.condemned_at < now() - interval '10 minutes')
         ORDER BY g.since LIMIT chunk
           FOR UPDATE SKIP LOCKED
    ), shown AS (
        DELETE FROM tintype.garbage g USING due d WHERE g.object = d.object AND d.shown
    )
    UPDATE tintype.garbage g SET condemned_at = now() FROM due d WHERE g.object = d.object AND NOT d.shown
    RETURNING g.object
$$;

-- Notes that condemned objects are deleted. Kept for an hour: a claim from before may still want to publish one of them.
CREATE OR REPLACE FUNCTION tintype.bury(objects text[])
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE tintype.garbage g SET condemned_at = NULL, deleted_at = now(), lease = (SELECT (l.last_value << 20) + 1048575 FROM tintype.lease l)
     WHERE g.object = ANY (objects)
$$;

-- Where this database stands: the cluster's own number where it may be read, the database and the table. A restored dump has
-- others. A physical copy has the same: that is for its owner to know. SECURITY DEFINER, so that every role gets the same answer.
CREATE OR REPLACE FUNCTION tintype.place()
RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cluster text := 'unknown';
BEGIN
    BEGIN
        SELECT c.system_identifier INTO cluster FROM pg_control_system() c;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
    RETURN format('%s/%s/%s', cluster, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()), 'tintype.instance'::regclass::oid);
END $$;

-- Makes this database the owner of its store, after it was moved by dump and restore or upgraded in place: a new id, which the
-- next worker writes into the store. The database that it came from, should it still be at work, deletes nothing there any more.
CREATE OR REPLACE FUNCTION tintype.adopt()
RETURNS uuid LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE tintype.instance i SET former = i.id, id = gen_random_uuid(), place = tintype.place() RETURNING i.id
$$;

INSERT INTO tintype.instance (place) VALUES (tintype.place()) ON CONFLICT DO NOTHING;
