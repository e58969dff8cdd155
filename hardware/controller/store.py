"""Store and forward: every event is on disk before it is sent, and stays there until the site says it is committed.

A broker's PUBACK proves nothing; only the site's `ack` deletes. SQLite in WAL mode with synchronous FULL: what was
added survives a power cut. Each start has a new boot id and counts from 1; events of earlier boots wait beside.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  boot TEXT NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL,
  UNIQUE (boot, seq)
);
CREATE TABLE IF NOT EXISTS command (nonce TEXT PRIMARY KEY, expires REAL NOT NULL, result BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS document (name TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL);
"""
KEEP_NONCES = 3600.0  # seconds after a command's expiry for which its nonce is remembered


@dataclass(frozen=True, slots=True)
class Held:
    """One event that the site has not yet confirmed."""

    number: int
    boot: str
    seq: int
    topic: str
    body: bytes


class Store:
    """The device's memory. One thread uses it."""

    def __init__(self, path: Path, limit: int = 20_000) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
        self.limit = limit
        self.boot = secrets.token_hex(4)
        self._next = 1
        self.lost = 0

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @property
    def next_seq(self) -> int:
        """The number that the next event gets."""
        return self._next

    def oldest_seq(self) -> int:
        """The lowest number of this boot that is still held, or the next one when nothing is held."""
        row = self._db.execute("SELECT min(seq) FROM event WHERE boot = ?", (self.boot,)).fetchone()
        return int(row[0]) if row[0] is not None else self._next

    def count(self) -> int:
        """How many events wait for the site's acknowledgement."""
        return int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])

    def add(self, topic: str, make: Callable[[str, int], bytes]) -> Held:
        """Give the next number, let `make(boot, seq)` write the event, and keep it durably.

        A full store drops its oldest event: the gap in the numbers tells the site.
        """
        seq, body = self._next, make(self.boot, self._next)
        self._db.execute("BEGIN IMMEDIATE")
        if self.count() >= self.limit:
            self._db.execute("DELETE FROM event WHERE number = (SELECT min(number) FROM event)")
            self.lost += 1
        cursor = self._db.execute(
            "INSERT INTO event (boot, seq, topic, body) VALUES (?, ?, ?, ?)", (self.boot, seq, topic, body)
        )
        self._db.execute("COMMIT")
        self._next = seq + 1
        return Held(int(cursor.lastrowid or 0), self.boot, seq, topic, body)

    def after(self, number: int, limit: int) -> list[Held]:
        """Held events behind a store number, oldest first."""
        query = "SELECT number, boot, seq, topic, body FROM event WHERE number > ? ORDER BY number LIMIT ?"
        return [Held(*row) for row in self._db.execute(query, (number, limit))]

    def ranges(self, boot: str, ranges: Iterable[Sequence[int]], limit: int = 2000) -> list[Held]:
        """Held events of a boot whose numbers are in closed ranges."""
        found: list[Held] = []
        query = "SELECT number, boot, seq, topic, body FROM event WHERE boot = ? AND seq BETWEEN ? AND ? ORDER BY seq"
        for first, last in ranges:
            found += [Held(*row) for row in self._db.execute(query + " LIMIT ?", (boot, first, last, limit))]
        return found[:limit]

    def forget(self, boot: str, upto: int) -> int:
        """The site has committed all of a boot up to a number: delete them; the count of deleted events."""
        return self._db.execute("DELETE FROM event WHERE boot = ? AND seq <= ?", (boot, upto)).rowcount

    def result(self, nonce: str) -> bytes | None:
        """The result given before to a command with this nonce."""
        row = self._db.execute("SELECT result FROM command WHERE nonce = ?", (nonce,)).fetchone()
        return bytes(row[0]) if row else None

    def keep_result(self, nonce: str, expires: float, result: bytes, now: float) -> None:
        """Remember a command's result, so that the same command again does nothing again."""
        self._db.execute("DELETE FROM command WHERE expires < ?", (now - KEEP_NONCES,))
        self._db.execute("INSERT OR IGNORE INTO command VALUES (?, ?, ?)", (nonce, expires, result))

    def document(self, name: str) -> tuple[int, bytes] | None:
        """Version and body of a stored document (an access list, a manifest)."""
        row = self._db.execute("SELECT version, body FROM document WHERE name = ?", (name,)).fetchone()
        return (int(row[0]), bytes(row[1])) if row else None

    def keep_document(self, name: str, version: int, body: bytes) -> None:
        """Keep a document in place of the one before."""
        self._db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (name, version, body))
