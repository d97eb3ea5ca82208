-- How many pictures a minute a worker could make, of cards and of pages, by its own measure: how long a backfill takes is told from it.
ALTER TABLE tintype.worker ADD COLUMN card_pace double precision;   -- NULL: it has drawn none yet
ALTER TABLE tintype.worker ADD COLUMN page_pace double precision;
ALTER TABLE tintype.instance ADD COLUMN card_pace double precision; -- of the last worker that left
ALTER TABLE tintype.instance ADD COLUMN page_pace double precision;
