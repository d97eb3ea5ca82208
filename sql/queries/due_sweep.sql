-- A step of a sweep that is due, by chance, so that a large table starves no other.
SELECT due.name, tintype.sweep(due.id, $1) AS marked
  FROM (SELECT s.id, s.name FROM tintype.due_sweeps() s ORDER BY random() LIMIT 1) due
