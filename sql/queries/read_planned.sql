-- One row of a table as a planned source would read it; the columns are those of read.sql.
SELECT s.name AS source_name, s.draw, s.look, s.theme, s.site,
       r.wanted, r.content, r.title, r.body, r.author, r.date, r.tags,
       NULL::jsonb AS ledger
  FROM jsonb_populate_record(NULL::tintype.source, $1) s
 CROSS JOIN LATERAL tintype.read_row(s, $2) r
