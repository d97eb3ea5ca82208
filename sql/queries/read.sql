-- One claimed row: what its picture is made from, how its source wants it drawn, and what the ledger holds for it.
-- No row: it is deleted.
SELECT s.name AS source_name, s.draw, tintype.by_browser(s.draw) AS page, s.look, s.theme, s.template AS layout, s.site,
       r.wanted, r.content, tintype.bytes(r.title) AS title, tintype.bytes(r.body) AS body, tintype.bytes(r.author) AS author,
       tintype.bytes(r.date) AS date, tintype.bytes(r.tags) AS tags, tintype.bytes(r.look) AS row_look,
       s.url, s.html, s.capture, s.status_column IS NOT NULL AS has_status, s.data_columns, ARRAY(SELECT tintype.bytes(d.value) FROM unnest(r.data) WITH ORDINALITY d(value, n) ORDER BY d.n) AS data,
       to_jsonb(i) AS ledger
  FROM tintype.source s
 CROSS JOIN LATERAL tintype.read_row(s, $2) r
  LEFT JOIN tintype.image i ON i.source = s.id AND i.key = $2
 WHERE s.id = $1
