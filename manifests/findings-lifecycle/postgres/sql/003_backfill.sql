-- Every finding gets its state from what scans observed:
--   suppressed   somebody accepted it or called it a false positive
--   resolved     fixed, or the last scan did not see it
--   reopened     the last scan saw it, an earlier one did not
--   new          open and seen by one scan at most
--   active       open and seen by more
UPDATE findings
   SET lifecycle_state = history.state,
       first_seen_at = history.first_seen_at,
       last_seen_at = history.last_seen_at
  FROM (
        SELECT f.id,
               CASE
                   WHEN f.status IN ('accepted', 'false_positive') THEN 'suppressed'
                   WHEN f.status = 'fixed' OR NOT coalesce(last.present, true) THEN 'resolved'
                   WHEN count(o.id) FILTER (WHERE NOT o.present) > 0 THEN 'reopened'
                   WHEN count(o.id) FILTER (WHERE o.present) > 1 THEN 'active'
                   ELSE 'new'
               END AS state,
               coalesce(min(o.seen_at) FILTER (WHERE o.present), f.created_at) AS first_seen_at,
               coalesce(max(o.seen_at) FILTER (WHERE o.present), f.created_at) AS last_seen_at
          FROM findings AS f
          LEFT JOIN observations AS o ON o.finding_id = f.id
          LEFT JOIN LATERAL (
                SELECT present FROM observations WHERE finding_id = f.id ORDER BY seen_at DESC, id DESC LIMIT 1
               ) AS last ON true
         WHERE f.lifecycle_state IS NULL
         GROUP BY f.id, last.present
       ) AS history
 WHERE findings.id = history.id;
