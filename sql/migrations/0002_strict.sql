-- The strict mode: an owner may want the write to fail where its mark cannot be made.
ALTER TABLE tintype.source ADD COLUMN strict boolean NOT NULL DEFAULT false;

-- Both get one more argument; beside the old ones no call would be unique.
DROP FUNCTION IF EXISTS tintype.attach(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text);
DROP FUNCTION IF EXISTS tintype.plan(regclass, text, text, text, text, text, text, text[], text, text, text, text, text, text, text);
