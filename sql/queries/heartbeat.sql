-- A sign of life; the row comes back where others took it for a dead one's after a long outage.
INSERT INTO tintype.worker (id, name, version) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET seen_at = now()
