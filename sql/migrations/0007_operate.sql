-- What an operator needs: backfills that go on after a kill, and the application's own column that says how its row's picture stands.

-- A backfill under way, one a table: what was asked for, and how far it is. See functions/51_backfill.sql.
CREATE TABLE tintype.backfill_run (
    source     integer PRIMARY KEY,
    mode       text NOT NULL,                   -- of tintype.scan: missing, stale or all
    condition  text,
    reached    text,                            -- the key up to which rows have been looked at
    scanned    bigint NOT NULL DEFAULT 0,
    marked     bigint NOT NULL DEFAULT 0,
    began_at   timestamptz NOT NULL DEFAULT now(),
    stepped_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE tintype.source ADD COLUMN status_column text;  -- gets pending, processing, ready, failed, skipped; see functions/41_status.sql

-- These have more arguments now.
DROP FUNCTION IF EXISTS tintype.attach(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text, boolean, boolean, text, text, text[], jsonb);
DROP FUNCTION IF EXISTS tintype.plan(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text, boolean, boolean, text, text, text[], jsonb);
DROP FUNCTION IF EXISTS tintype.backfill(regclass, boolean, text);
DROP FUNCTION IF EXISTS tintype.scan(tintype.source, text, text, integer, text, text, boolean);
DROP FUNCTION IF EXISTS tintype.write_url(tintype.source, text, text);
