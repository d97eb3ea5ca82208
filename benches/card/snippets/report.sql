WITH months AS (
  SELECT date_trunc('month', placed_at) AS month,
         customer_id,
         sum(total_cents) AS cents
  FROM orders
  WHERE status <> 'cancelled'
    AND placed_at >= now() - interval '12 months'
  GROUP BY 1, 2
), ranked AS (
  SELECT month, customer_id, cents,
         rank() OVER (PARTITION BY month ORDER BY cents DESC) AS place,
         cents - lag(cents) OVER (PARTITION BY customer_id ORDER BY month) AS change
  FROM months
)
SELECT to_char(r.month, 'YYYY-MM') AS month,
       c.name,
       round(r.cents / 100.0, 2) AS euros,
       coalesce(r.change, 0) > 0 AS grows
FROM ranked r
JOIN customers c ON c.id = r.customer_id
LEFT JOIN LATERAL (
  SELECT count(*) AS tickets FROM support t WHERE t.customer_id = c.id
) s ON true
WHERE r.place <= 10 -- the best ten of every month
ORDER BY r.month, r.place;
