UPDATE findings SET lifecycle = CASE state WHEN 'open' THEN 'active' ELSE 'resolved' END, first_seen_at = found_at
WHERE lifecycle IS NULL;
