#pragma once

#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast and so invisible to Swift. */
static inline sqlite3_destructor_type muster_sqlite_transient(void) { return SQLITE_TRANSIENT; }

/* sqlite3_config and sqlite3_db_config are variadic, which Swift cannot call. */
static inline int muster_sqlite_db_config_flag(sqlite3 *db, int option, int value) {
    return sqlite3_db_config(db, option, value, (int *)0);
}

/* The library counts its memory under one lock for all threads unless it is told not to, before its first use. */
static inline int muster_sqlite_forget_memory_counts(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
