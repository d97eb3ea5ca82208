-- One row of a table as a planned source would read it; the columns are those of read.sql.
SELECT s.name AS source_name, s.draw, tintype.by_browser(s.draw) AS page, s.look, s.theme, s.template AS layout, s.site,
       r.wanted, r.content, tintype.bytes(r.title) AS title, tintype.bytes(r.body) AS body, tintype.bytes(r.author) AS author,
       tintype.bytes(r.date) AS date, tintype.bytes(r.tags) AS tags, tintype.bytes(r.look) AS row_look,
       s.url, s.html, s.capture, false AS has_status, s.data_columns, ARRAY(SELECT tintype.bytes(d.value) FROM unnest(r.data) WITH ORDINALITY d(value, n) ORDER BY d.n) AS data,
       NULL::jsonb AS ledger
  FROM jsonb_populate_record(NULL::tintype.source, $1) s
 CROSS JOIN LATERAL tintype.read_row(s, $2) r
