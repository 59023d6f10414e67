/* The floor: what three migrations over many PostgreSQL tenants cost when a program does nothing else.
 *
 *   floor_postgres K schema|database tenant|migration MIGRATIONS TENANTS
 *
 * K threads, one blocking connection each (schema), or one for each tenant (database). What a tenant still needs is read
 * from the ledger once; its share leaves in one message. `tenant`: one transaction for all of it; `migration`: one each.
 * The ledger's rows go in first: a rival that was faster makes their key fail. The ledger is floor.done in the database
 * that PG* names (schema), or in each tenant's own (database). TENANTS: one name a line. */
#include <dirent.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, LONGEST = 1 << 16 };

static char *names[MOST], *scripts[MOST];
static char **tenants;
static int migrations, tenant_count, own_database, transaction_each;
static unsigned *done;
static atomic_int next_tenant, failures;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static char *content(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path, "cannot be read");
    char *text = calloc(1, LONGEST);
    fread(text, 1, LONGEST - 1, file);
    fclose(file);
    return text;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void read_migrations(const char *folder) {
    DIR *entries = opendir(folder);
    if (!entries) fail(folder, "cannot be read");
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strstr(entry->d_name, ".sql") && migrations < MOST) names[migrations++] = strdup(entry->d_name);
    closedir(entries);
    qsort(names, migrations, sizeof *names, by_name);
    for (int i = 0; i < migrations; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        scripts[i] = content(path);
    }
}

static int by_tenant(const void *key, const void *element) { return strcmp(key, *(char **)element); }

static void read_tenants(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path, "cannot be read");
    char line[256];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        tenants = realloc(tenants, (tenant_count + 1) * sizeof *tenants);
        tenants[tenant_count++] = strdup(line);
    }
    fclose(file);
    qsort(tenants, tenant_count, sizeof *tenants, by_name);
    done = calloc(tenant_count, sizeof *done);
}

static PGconn *connect_to(const char *database) {
    const char *keys[] = {"dbname", NULL}, *values[] = {database, NULL};
    PGconn *connection = PQconnectdbParams(keys, values, 0);
    if (PQstatus(connection) != CONNECTION_OK) fail("connect", PQerrorMessage(connection));
    return connection;
}

static void note_done(PGconn *connection, int only) {
    PGresult *result = PQexec(connection, "SELECT tenant, name FROM floor.done");
    if (PQresultStatus(result) != PGRES_TUPLES_OK) fail("ledger", PQerrorMessage(connection));
    for (int row = 0; row < PQntuples(result); row++) {
        char **found = bsearch(PQgetvalue(result, row, 0), tenants, tenant_count, sizeof *tenants, by_tenant);
        int place = only >= 0 ? only : found ? (int)(found - tenants) : -1;
        for (int i = 0; i < migrations && place >= 0; i++)
            if (!strcmp(PQgetvalue(result, row, 1), names[i])) done[place] |= 1u << i;
    }
    PQclear(result);
}

static void apply(PGconn *connection, int place) {
    static _Thread_local char message[LONGEST * 8];
    const char *tenant = tenants[place];
    size_t used = 0;
    int is_open = 0;
#define ADD(...) used += snprintf(message + used, sizeof message - used, __VA_ARGS__)
    for (int i = 0; i < migrations; i++) {
        if (done[place] >> i & 1) continue;
        if (!is_open || transaction_each) {
            ADD("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('%s', 7));", tenant);
            if (!own_database) ADD("SET LOCAL search_path = \"%s\";", tenant);
        }
        is_open = 1;
        ADD("INSERT INTO floor.done (tenant, name) VALUES ('%s', '%s');\n%s\n;", tenant, names[i], scripts[i]);
        if (transaction_each) ADD("COMMIT;");
    }
    if (!is_open) return;
    if (!transaction_each) ADD("COMMIT;");
    PGresult *result = PQexec(connection, message);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fprintf(stderr, "floor: %s: %s", tenant, PQerrorMessage(connection));
        failures++;
        PQclear(PQexec(connection, "ROLLBACK"));
    }
    PQclear(result);
}

static void *work(void *unused) {
    PGconn *connection = own_database ? NULL : connect_to(NULL);
    for (int place; (place = next_tenant++) < tenant_count;) {
        if (own_database) {
            connection = connect_to(tenants[place]);
            note_done(connection, place);
        }
        apply(connection, place);
        if (own_database) PQfinish(connection);
    }
    if (!own_database) PQfinish(connection);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 6) fail("usage", "floor_postgres K schema|database tenant|migration MIGRATIONS TENANTS");
    int threads = atoi(arguments[1]);
    own_database = !strcmp(arguments[2], "database");
    transaction_each = !strcmp(arguments[3], "migration");
    read_migrations(arguments[4]);
    read_tenants(arguments[5]);
    if (!own_database) {
        PGconn *connection = connect_to(NULL);
        note_done(connection, -1);
        PQfinish(connection);
        unsigned all = (1u << migrations) - 1;
        int open = 0;
        for (int i = 0; i < tenant_count; i++) open += done[i] != all;
        if (!open) return 0;
    }
    pthread_t workers[256];
    for (int i = 0; i < threads; i++) pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < threads; i++) pthread_join(workers[i], NULL);
    return failures ? 1 : 0;
}
