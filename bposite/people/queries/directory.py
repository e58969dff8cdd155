"""The directory of staff and hosts: one, some, by number, and a search that forgives accents and order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bposite.people import rules
from bposite.people.tables import Person

MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A staff member or host. ``title`` is what they do (a site plan calls it role), ``shift`` a schedule's slug."""

    id: str
    number: str
    name: str
    client: str
    team: str
    title: str
    email: str
    phone: str
    shift: str
    can_host: bool
    active: bool


def person(session: Session, person_id: str) -> PersonRow | None:
    """One person by id."""
    row = session.get(Person, person_id)
    return None if row is None else _row(row)


def persons(session: Session, ids: Iterable[str]) -> dict[str, PersonRow]:
    """Several persons: id -> row; unknown ids are left out."""
    found = session.scalars(select(Person).where(Person.id.in_(set(ids))))
    return {row.id: _row(row) for row in found}


def persons_by_number(session: Session, numbers: Iterable[str]) -> dict[str, PersonRow]:
    """Several persons: number (``E-1001``) -> row; unknown numbers are left out."""
    found = session.scalars(select(Person).where(Person.number.in_(set(numbers))))
    return {row.number: _row(row) for row in found}


def search_persons(
    session: Session, text: str, *, hosts: bool = False, active: bool = True, limit: int = 50, after: str = ""
) -> list[PersonRow]:
    """Persons in whose name, number, email, client, team or title every word of ``text`` occurs, by name.

    Case, accents and the order of words do not matter. ``hosts``: only who may receive visitors; ``active``: only
    who works here now; ``after``: number of the last row of the page before.
    """
    statement = _matching(select(Person), text, hosts, active).order_by(Person.name, Person.number).limit(limit)
    last = session.scalar(select(Person).where(Person.number == after)) if after else None
    if last is not None:
        statement = statement.where(
            (Person.name > last.name) | ((Person.name == last.name) & (Person.number > last.number))
        )
    return [_row(row) for row in session.scalars(statement)]


def count_persons(session: Session, text: str = "", *, hosts: bool = False, active: bool = True) -> int:
    """How many ``search_persons`` would find without a limit."""
    return session.scalar(_matching(select(func.count()).select_from(Person), text, hosts, active)) or 0


def _matching(statement: Select[Any], text: str, hosts: bool, active: bool) -> Select[Any]:
    for word in rules.fold(text[:200]).split()[:MAX_WORDS]:
        statement = statement.where(Person.search.contains(word, autoescape=True))
    if hosts:
        statement = statement.where(Person.can_host.is_(True))
    return statement.where(Person.active.is_(True)) if active else statement


def _row(row: Person) -> PersonRow:
    return PersonRow(
        row.id, row.number, row.name, row.client, row.team, row.title, row.email, row.phone, row.shift,
        row.can_host, row.active,
    )  # fmt: skip
