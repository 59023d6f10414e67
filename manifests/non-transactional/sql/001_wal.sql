VACUUM;
PRAGMA journal_mode = WAL;
