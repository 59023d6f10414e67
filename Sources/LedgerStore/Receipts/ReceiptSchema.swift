import DatabaseAccess

/// The table of receipts in a tenant's own PostgreSQL database.
///
/// `holder` is empty where the database holds one tenant, else the tenant: two tenants in one database have receipts of
/// their own, and a renamed one still finds its own.
func postgresReceiptsDDL(_ sql: LedgerSQL) -> String {
    """
    CREATE TABLE IF NOT EXISTS \(sql.name("receipts")) (
        workspace text NOT NULL, holder text NOT NULL, tenant text NOT NULL, runbook text NOT NULL, key text NOT NULL,
        state text NOT NULL, clean boolean, attempt integer NOT NULL, fence bigint NOT NULL, checksum text NOT NULL,
        cursor text, rows_affected bigint, run_id text, runner text, started_at timestamptz, finished_at timestamptz,
        backend_pid integer, backend_start timestamptz, host text, process_group bigint, process_start text,
        time_limit_ms bigint,
        PRIMARY KEY (workspace, holder, runbook, key)
    );
    """
}

/// The same in a tenant's SQLite file.
let sqliteReceiptsDDL = """
    CREATE TABLE IF NOT EXISTS main.muster_receipts (
        workspace text NOT NULL, holder text NOT NULL, tenant text NOT NULL, runbook text NOT NULL, key text NOT NULL,
        state text NOT NULL, clean boolean, attempt integer NOT NULL, fence integer NOT NULL, checksum text NOT NULL,
        cursor text, rows_affected integer, run_id text, runner text, started_at text, finished_at text, host text,
        process_group integer, process_start text, time_limit_ms integer,
        PRIMARY KEY (workspace, holder, runbook, key)
    ) WITHOUT ROWID
    """
