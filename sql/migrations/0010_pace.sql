-- How many pictures a minute a worker could make, by its own measure: how long a backfill takes is told from it.
ALTER TABLE tintype.worker ADD COLUMN card_pace double precision;    -- cards a minute that it could make; NULL: none was drawn yet
ALTER TABLE tintype.worker ADD COLUMN page_pace double precision;    -- the same of pages
ALTER TABLE tintype.instance ADD COLUMN card_pace double precision;  -- what the last worker that left could make
ALTER TABLE tintype.instance ADD COLUMN page_pace double precision;  -- the same of pages
