#pragma once

#include <dlfcn.h>
#include <postgresql/libpq-fe.h>

/* libpq brings two dozen libraries with it (TLS, Kerberos, LDAP), which cost more than everything else that a program
   does at its start. So it is not linked but loaded, and each function is called through this table. */
#define MUSTER_LIBPQ_FUNCTIONS(function) \
    function(PQbackendPID) function(PQcancel) function(PQclear) function(PQcmdStatus) function(PQconnectPoll) \
    function(PQconnectStartParams) function(PQconninfo) function(PQconninfoFree) function(PQenterPipelineMode) \
    function(PQerrorMessage) function(PQexitPipelineMode) function(PQfinish) function(PQfname) \
    function(PQfreeCancel) function(PQfreemem) function(PQftype) function(PQgetCancel) function(PQgetCopyData) \
    function(PQgetResult) function(PQgetisnull) function(PQgetlength) function(PQgetvalue) function(PQlibVersion) \
    function(PQnfields) function(PQnotifies) function(PQpipelineSync) function(PQputCopyEnd) \
    function(PQresultErrorField) function(PQresultErrorMessage) function(PQresultStatus) function(PQsendQuery) \
    function(PQsendQueryParams) function(PQsetErrorVerbosity) function(PQsetNoticeReceiver) \
    function(PQsetSingleRowMode) function(PQsocket) function(PQstatus) function(PQtransactionStatus) \
    function(PQunescapeBytea)

struct muster_libpq {
#define MUSTER_DECLARE(name) __typeof__(name) *_Nonnull name;
    MUSTER_LIBPQ_FUNCTIONS(MUSTER_DECLARE)
#undef MUSTER_DECLARE
};

/* Loads libpq, or finds it loaded. Nothing in the table may be called before muster_libpq_complaint said nothing. */
static inline struct muster_libpq muster_libpq(void) {
    struct muster_libpq table;
    void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
#define MUSTER_FIND(name) table.name = (__typeof__(table.name))(library ? dlsym(library, #name) : 0);
    MUSTER_LIBPQ_FUNCTIONS(MUSTER_FIND)
#undef MUSTER_FIND
    return table;
}

/* Why libpq cannot be loaded, until the thread's next dlerror(3); null when it can. */
static inline const char *_Nullable muster_libpq_complaint(void) {
    void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
#define MUSTER_CHECK(name) if (!library || !dlsym(library, #name)) return dlerror();
    MUSTER_LIBPQ_FUNCTIONS(MUSTER_CHECK)
#undef MUSTER_CHECK
    return 0;
}

/* Macros that take a character literal are invisible to Swift (libpq: PQresultErrorField). */
static const int muster_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int muster_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int muster_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int muster_diag_detail = PG_DIAG_MESSAGE_DETAIL;
static const int muster_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int muster_diag_position = PG_DIAG_STATEMENT_POSITION;
static const int muster_diag_internal_position = PG_DIAG_INTERNAL_POSITION;
static const int muster_diag_internal_query = PG_DIAG_INTERNAL_QUERY;
static const int muster_diag_context = PG_DIAG_CONTEXT;
static const int muster_diag_schema = PG_DIAG_SCHEMA_NAME;
static const int muster_diag_table = PG_DIAG_TABLE_NAME;
static const int muster_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
