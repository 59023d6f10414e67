"""Asks a PostgreSQL server through libpq, which is far quicker than a psql for every question."""

import ctypes
import ctypes.util

Row = tuple[str | None, ...]

_libpq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for _name, _answer, _arguments in [
        ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]), ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
        ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]), ("PQfinish", None, [ctypes.c_void_p]),
        ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]), ("PQclear", None, [ctypes.c_void_p]),
        ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]), ("PQntuples", ctypes.c_int, [ctypes.c_void_p]),
        ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
        ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
        ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int])]:
    getattr(_libpq, _name).restype = _answer
    getattr(_libpq, _name).argtypes = _arguments
_EMPTY, _COMMAND, _ROWS = 0, 1, 2


class Failure(Exception):
    """What libpq says of a question that was not answered."""


def ask(database: str, sql: str) -> list[Row]:
    """Runs statements in one transaction and returns the rows of the last; PGHOST and PGPORT say where."""
    connection = _libpq.PQconnectdb(f"dbname={database} options='-c client_min_messages=error'".encode())
    try:
        if _libpq.PQstatus(connection):
            raise Failure(_libpq.PQerrorMessage(connection).decode().strip())
        result = _libpq.PQexec(connection, sql.encode())
        try:
            if _libpq.PQresultStatus(result) not in (_EMPTY, _COMMAND, _ROWS):
                raise Failure(f"{_libpq.PQerrorMessage(connection).decode().strip()}: {sql[:200]}")
            return [tuple(_cell(result, row, column) for column in range(_libpq.PQnfields(result)))
                    for row in range(_libpq.PQntuples(result))]
        finally:
            _libpq.PQclear(result)
    finally:
        _libpq.PQfinish(connection)


def _cell(result: int, row: int, column: int) -> str | None:
    return None if _libpq.PQgetisnull(result, row, column) else _libpq.PQgetvalue(result, row, column).decode()
