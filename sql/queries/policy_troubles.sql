-- What row-level security keeps from those who work: from the roles of install --roles for the table $1, as attach asks, and from
-- the role that asks itself where $1 is NULL, for all tables.
SELECT t.broken, t.words, t.hint
  FROM tintype.source s
 CROSS JOIN LATERAL (SELECT current_user AS role WHERE $1::text IS NULL
                     UNION ALL SELECT w FROM tintype.worker_roles() w WHERE $1::text IS NOT NULL) r
 CROSS JOIN LATERAL tintype.policy_trouble(s, r.role) t
 WHERE s.name = coalesce($1, s.name) AND t.words IS NOT NULL
 ORDER BY s.name, r.role
