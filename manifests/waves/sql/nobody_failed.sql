-- True while no tenant stands as failed in the ledger.
SELECT NOT EXISTS (SELECT 1 FROM muster_failures);
