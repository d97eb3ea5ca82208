-- Which build of tintype wrote the functions that stand here: each install replaces them as a whole, migrations or none.
ALTER TABLE tintype.instance ADD COLUMN version   text;  -- its version
ALTER TABLE tintype.instance ADD COLUMN functions text;  -- a digest of their text
