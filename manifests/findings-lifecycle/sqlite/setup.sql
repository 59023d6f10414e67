-- One tenant before the deploy: 40 findings, and what up to four scans saw of each.
CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    asset TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'fixed', 'accepted', 'false_positive')),
    created_at TEXT NOT NULL,
    UNIQUE (asset, rule)
);
CREATE TABLE observations (
    id INTEGER PRIMARY KEY,
    finding_id INTEGER NOT NULL REFERENCES findings (id),
    seen_at TEXT NOT NULL,
    present INTEGER NOT NULL CHECK (present IN (0, 1))
);
CREATE INDEX observations_finding_idx ON observations (finding_id, seen_at);

WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < 40)
INSERT INTO findings (id, asset, rule, severity, status, created_at)
SELECT n,
       format('host-%02d', n % 8),
       format('CVE-2026-%04d', 1000 + n),
       CASE n % 4 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' WHEN 2 THEN 'high' ELSE 'critical' END,
       CASE WHEN n % 11 = 0 THEN 'false_positive' WHEN n % 9 = 0 THEN 'accepted' WHEN n % 7 = 0 THEN 'fixed' ELSE 'open' END,
       strftime('%Y-%m-%dT%H:%M:%SZ', '2026-01-01', format('+%d hours', n))
  FROM number;

-- Scan s looked at every finding whose number leaves a rest of at least s by 5, and missed some in the middle.
WITH RECURSIVE scan (s) AS (VALUES (1) UNION ALL SELECT s + 1 FROM scan WHERE s < 4)
INSERT INTO observations (finding_id, seen_at, present)
SELECT f.id, strftime('%Y-%m-%dT%H:%M:%SZ', f.created_at, format('+%d days', s)), (f.id + s) % 6 <> 0
  FROM scan JOIN findings AS f ON f.id % 5 >= s
 ORDER BY s, f.id;
