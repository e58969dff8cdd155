"""The database: SQLite (WAL, synchronous FULL) or PostgreSQL behind one engine, and the only place that commits.

Rows are declared by the features on ``Model``. Every write goes through ``transaction``; on SQLite it begins with
BEGIN IMMEDIATE, so that two writers wait for each other instead of failing half-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, Engine, MetaData, Text, TypeDecorator, event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase, Session

from bposite.plumbing.clock import from_micros, to_micros
from bposite.plumbing.errors import Refusal

if TYPE_CHECKING:
    from sqlalchemy import Dialect

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_SECONDS = 30


class Base(DeclarativeBase):
    """Declarative base; constraint names are made by rule so that migrations can find them."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored as whole microseconds since 1970-01-01 UTC: exact, portable and quick to compare."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Dialect) -> int | None:
        """Moment (or microseconds as they are) -> BIGINT."""
        return value if value is None or isinstance(value, int) else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """BIGINT -> aware UTC moment."""
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A JSON value kept as text, the same on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Value -> JSON text with sorted keys."""
        return None if value is None else msgspec.json.encode(value, order="sorted").decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """JSON text -> value."""
        return None if value is None else msgspec.json.decode(value)


_engine: Engine | None = None


def bind(app: Flask, url: str) -> None:
    """Open the database at ``url`` for ``app`` and for this process."""
    global _engine
    app.config["SQLALCHEMY_DATABASE_URI"] = normalised(url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _options(url)
    try:
        db.init_app(app)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise Refusal(
            "database_url", "The address of the database cannot be understood.", field="database_url",
            remedy="Write it like postgresql://user@host/name, or leave it out for SQLite.",
        ) from error  # fmt: skip
    with app.app_context():
        _engine = db.engine
    if _engine.dialect.name == "sqlite":
        event.listen(_engine, "connect", _on_sqlite_connect)
        event.listen(_engine, "begin", _on_sqlite_begin)


def normalised(url: str) -> str:
    """The address with the driver that we ship: ``postgresql://`` means psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _options(url: str) -> dict[str, Any]:
    common: dict[str, Any] = {"pool_size": 16, "max_overflow": 112, "pool_timeout": 15}
    if url.startswith("sqlite"):
        return common | {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    return common | {"pool_pre_ping": True}


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN would come too late for IMMEDIATE
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL does not fsync a commit: it dies in a power cut
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "cache_size=-32768",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("bposite_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def engine() -> Engine:
    """The engine of this process; RuntimeError before ``bind``."""
    if _engine is None:
        raise RuntimeError("no database yet: wiring.open_site comes first")
    return _engine


def close() -> None:
    """Give all connections back, at the end of a process or a test."""
    global _engine
    if _engine is not None:
        _engine.dispose()
    _engine = None


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction: committed at the end, rolled back on any exception."""
    with Session(engine().execution_options(bposite_write=True), expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent view to read from; writing through it fails on PostgreSQL and is discarded on SQLite."""
    with Session(engine().execution_options(postgresql_readonly=True), autoflush=False) as session:
        yield session
        session.rollback()
