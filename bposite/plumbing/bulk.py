"""Many rows at once, straight through the driver: what the event path writes thousands of times a second.

Values are as the database keeps them (moments as whole microseconds, JSON as text): no type conversion happens here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

COPY_FROM = 8


def insert_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, known: bool = False
) -> None:
    """Insert ``rows`` (tuples in the order of ``columns``) within the session's transaction.

    ``known``: rows whose key is there already are left out instead of raising IntegrityError.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM and not known:
        _copy(connection, table.name, columns, rows)
        return
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join([mark] * len(columns))
    end = " ON CONFLICT DO NOTHING" if known else ""
    connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){end}', list(rows))  # noqa: S608


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN'
    cursor = cast("Any", connection.connection.cursor())
    try:
        with cursor.copy(statement) as copy:
            write = copy.write_row
            for row in rows:
                write(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error  # as any other statement raises it
    finally:
        cursor.close()
