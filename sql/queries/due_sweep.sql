-- A step of a sweep that is due: one under way, or one that ended an hour ago. By chance, so that a large table starves no other.
SELECT due.name, tintype.sweep(due.id, $1) AS marked
  FROM (SELECT s.id, s.name
          FROM tintype.source s JOIN pg_class c ON c.oid = s.relation
         WHERE NOT s.paused
           AND (s.swept_to IS NOT NULL OR s.pruned_to IS NOT NULL OR coalesce(s.swept_at, s.attached_at) < now() - interval '1 hour')
         ORDER BY random()
         LIMIT 1) due
