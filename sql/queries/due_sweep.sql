-- A step of the sweep that is due: one under way, else the one that ended longest ago, an hour at least.
SELECT due.name, tintype.sweep(due.id, $1) AS marked
  FROM (SELECT s.id, s.name
          FROM tintype.source s JOIN pg_class c ON c.oid = s.relation
         WHERE NOT s.paused
           AND (s.swept_to IS NOT NULL OR s.pruned_to IS NOT NULL OR coalesce(s.swept_at, s.attached_at) < now() - interval '1 hour')
         ORDER BY coalesce(s.swept_to, s.pruned_to) IS NULL, s.swept_at NULLS FIRST
         LIMIT 1) due
