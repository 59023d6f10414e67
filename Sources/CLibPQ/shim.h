#pragma once

#include <postgresql/libpq-fe.h>

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
