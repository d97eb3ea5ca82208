-- The demo's posts and what tintype has made of them, oldest first.
SELECT p.id, p.slug, coalesce(p.title, '') AS title, coalesce(i.state, 'pending') AS state, i.reason, p.og_image_url AS url, i.alt, i.bytes,
       i.updated_at::text AS updated_at,
       greatest(0, date_part('epoch', i.updated_at - p.updated_at) * 1000)::float8 AS milliseconds
  FROM tintype_demo.posts p
  LEFT JOIN tintype.source s ON s.relation = 'tintype_demo.posts'::regclass
  LEFT JOIN tintype.image i ON i.source = s.id AND i.key = p.id::text
 ORDER BY p.id
