/* The floor for SQLite files.
 *
 *   floor_sqlite THREADS tenant|migration MIGRATIONS FILES
 *
 * Each thread takes the next file, reads its ledger (floor_done) and applies what is missing in one transaction, or in
 * one for each migration; the ledger is read again after BEGIN IMMEDIATE. Journal and sync stay as the library has them. */
#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, LONGEST = 1 << 16 };

static char *names[MOST], *scripts[MOST], **files;
static int migrations, file_count, transaction_each;
static atomic_int next_file, failures;

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void read_migrations(const char *folder) {
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (strstr(entry->d_name, ".sql") && migrations < MOST) names[migrations++] = strdup(entry->d_name);
    qsort(names, migrations, sizeof *names, by_name);
    for (int i = 0; i < migrations; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *file = fopen(path, "rb");
        scripts[i] = calloc(1, LONGEST);
        if (file) fread(scripts[i], 1, LONGEST - 1, file), fclose(file);
    }
}

static void read_files(const char *path) {
    FILE *list = fopen(path, "r");
    char line[4096];
    while (list && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        files = realloc(files, (file_count + 1) * sizeof *files);
        files[file_count++] = strdup(line);
    }
}

static unsigned pending(sqlite3 *database) {
    unsigned open = (1u << migrations) - 1;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, "SELECT name FROM floor_done", -1, &statement, NULL)) return open;
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < migrations; i++)
            if (!strcmp((const char *)sqlite3_column_text(statement, 0), names[i])) open &= ~(1u << i);
    sqlite3_finalize(statement);
    return open;
}

static void run(sqlite3 *database, const char *text, const char *file) {
    char *message = NULL;
    if (sqlite3_exec(database, text, NULL, NULL, &message) == SQLITE_OK) return;
    fprintf(stderr, "floor: %s: %s\n", file, message ? message : "?");
    failures++;
}

static void apply(sqlite3 *database, const char *file) {
    for (int first = 0; first < migrations && pending(database);) {
        run(database, "BEGIN IMMEDIATE", file);
        unsigned open = pending(database);
        int last = transaction_each ? first + 1 : migrations;
        for (int i = first; i < last; i++) {
            if (!(open >> i & 1)) continue;
            char row[512];
            run(database, scripts[i], file);
            snprintf(row, sizeof row, "INSERT INTO floor_done (name) VALUES ('%s')", names[i]);
            run(database, row, file);
        }
        run(database, "COMMIT", file);
        first = last;
    }
}

static void *work(void *unused) {
    for (int place; (place = next_file++) < file_count;) {
        sqlite3 *database = NULL;
        if (sqlite3_open_v2(files[place], &database, SQLITE_OPEN_READWRITE, NULL)) {
            failures++;
        } else {
            sqlite3_busy_timeout(database, 5000);
            apply(database, files[place]);
        }
        sqlite3_close(database);
    }
    return unused;
}

int main(int count, char **arguments) {
    if (count != 5) return fputs("floor_sqlite THREADS tenant|migration MIGRATIONS FILES\n", stderr), 1;
    int threads = atoi(arguments[1]);
    transaction_each = !strcmp(arguments[2], "migration");
    read_migrations(arguments[3]);
    read_files(arguments[4]);
    pthread_t workers[256];
    for (int i = 0; i < threads; i++) pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < threads; i++) pthread_join(workers[i], NULL);
    return failures ? 1 : 0;
}
