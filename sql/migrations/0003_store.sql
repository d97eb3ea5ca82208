-- What the store may lose: objects that no row shows any more, and whose database this is, before anything is deleted.

-- Objects in the store that were superseded or whose rows are gone. See functions/45_garbage.sql.
CREATE TABLE tintype.garbage (
    object       text PRIMARY KEY,              -- its key in the store
    source       integer NOT NULL,              -- whose picture it was
    key          text NOT NULL,
    since        timestamptz NOT NULL DEFAULT now(),
    condemned_at timestamptz,                   -- a worker is deleting it
    deleted_at   timestamptz,                   -- it is no longer in the store
    lease        bigint                         -- the last claim before that: what was stored under it may be deleted as well
);
CREATE INDEX garbage_since ON tintype.garbage (since);
CREATE INDEX image_object ON tintype.image (object);

-- One row: which installation this is, and where it stood when it was made. A dump that is restored brings the row along, to
-- another place: it may then not delete what the store holds for the original.
CREATE TABLE tintype.instance (
    single       boolean PRIMARY KEY DEFAULT true CHECK (single),
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    former       uuid,                          -- the id before tintype.adopt()
    place        text NOT NULL,                 -- tintype.place() at that time
    installed_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE tintype.source ADD COLUMN unpublish boolean NOT NULL DEFAULT false;  -- a row that leaves the filter loses its URL
ALTER TABLE tintype.image ADD COLUMN outside boolean NOT NULL DEFAULT false;     -- left out by the row filter, whatever else is on record

-- These have more arguments now.
DROP FUNCTION IF EXISTS tintype.fold(integer);
DROP FUNCTION IF EXISTS tintype.attach(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text, boolean);
DROP FUNCTION IF EXISTS tintype.plan(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text, boolean);
