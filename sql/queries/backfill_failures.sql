-- Rows of the source $1 that have failed since $2, or that wait for another attempt, by reason: numbers in it aside.
SELECT max(f.reason) AS reason, count(*) AS rows, min(f.key) AS key, f.postponed
  FROM (SELECT i.key, coalesce(i.reason, '') AS reason, false AS postponed FROM tintype.image i
         WHERE i.source = $1 AND i.state = 'failed' AND i.updated_at >= $2::text::timestamptz
        UNION ALL
        SELECT j.key, j.last_error, true FROM tintype.job j WHERE j.source = $1 AND j.last_error IS NOT NULL AND j.lease IS NULL) f
 GROUP BY f.postponed, regexp_replace(f.reason, '\d+', '0', 'g')
 ORDER BY count(*) DESC, min(f.key)
