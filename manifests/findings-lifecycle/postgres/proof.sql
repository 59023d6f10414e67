SELECT lifecycle_state, count(*) FROM tenant_0005.findings GROUP BY 1 ORDER BY 1;
SELECT indisvalid FROM pg_index WHERE indexrelid = 'tenant_0005.findings_lifecycle_idx'::regclass;
