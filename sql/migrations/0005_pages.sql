-- Pictures of pages: what a browser captures in place of a card.
ALTER TABLE tintype.source ADD COLUMN url text;                                   -- the address of a row's page, with columns in braces
ALTER TABLE tintype.source ADD COLUMN html text;                                  -- an HTML template, by name
ALTER TABLE tintype.source ADD COLUMN data_columns text[] NOT NULL DEFAULT '{}';  -- what the address or the template is filled with
ALTER TABLE tintype.source ADD COLUMN capture jsonb NOT NULL DEFAULT '{}';        -- options, as of the command capture; names of secrets
ALTER TABLE tintype.source DROP CONSTRAINT source_draw_check;
ALTER TABLE tintype.source ADD CONSTRAINT source_draw_check CHECK (draw IN ('auto', 'code', 'title', 'page', 'html'));

-- These have more arguments now, or give more.
DROP FUNCTION IF EXISTS tintype.attach(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text, boolean, boolean);
DROP FUNCTION IF EXISTS tintype.plan(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text, boolean, boolean);
DROP FUNCTION IF EXISTS tintype.claim(integer, integer, integer);
DROP FUNCTION IF EXISTS tintype.read_row(tintype.source, text);
