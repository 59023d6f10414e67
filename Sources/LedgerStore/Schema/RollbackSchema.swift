/// Version 6 of the ledger: what kind of run one is, and which run it takes back.
enum RollbackSchema {
    static let columns = """
        alter table {runs} add column kind text not null default 'apply' check (kind in ('apply', 'rollback'));
        alter table {runs} add column undoes text;
        """
}
