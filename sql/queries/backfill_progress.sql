-- How far the drawing of one source is: what still waits, how much of that waits out a failure, what has failed since $2, and
-- whether anybody is at work.
SELECT (SELECT count(*) FROM tintype.change WHERE source = $1) + (SELECT count(*) FROM tintype.job WHERE source = $1) AS waiting,
       (SELECT count(*) FROM tintype.job WHERE source = $1 AND last_error IS NOT NULL AND lease IS NULL AND due_at > now()) AS postponed,
       (SELECT count(*) FROM tintype.image WHERE source = $1 AND state = 'failed' AND updated_at >= $2::text::timestamptz) AS failed,
       (SELECT count(*) FROM tintype.worker WHERE seen_at > now() - interval '1 minute') AS workers
