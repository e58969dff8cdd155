"""What people do with the entry log: save a view of it, and take entries away (which is a fact)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, func, select

from bposite.entries.tables import SavedView
from bposite.journal.work import Work
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id

MOST_VIEWS = 20
LONGEST_NAME = 60
LONGEST_QUERY = 2000


def save_view(work: Work, owner: str, name: str, query: str) -> str:
    """Keep ``query`` under ``name`` for ``owner``, replacing a view of that name; returns its id."""
    clean = "".join(letter for letter in name if letter.isprintable()).strip()
    if not 0 < len(clean) <= LONGEST_NAME:
        raise Refusal("view_name", f"Give the view a name of 1 to {LONGEST_NAME} letters.", field="name")
    if len(query) > LONGEST_QUERY:
        raise Refusal("view_query", "This filter is too long to save.", field="name")
    held = work.session.scalar(select(SavedView).where(SavedView.owner == owner, SavedView.name == clean))
    if held is not None:
        held.query, held.saved_at = query, work.now
        return held.id
    count = work.session.scalar(select(func.count()).where(SavedView.owner == owner)) or 0
    if count >= MOST_VIEWS:
        raise Refusal("view_count", f"You have {MOST_VIEWS} saved views.", remedy="Delete one first.")
    row = SavedView(id=new_id(), owner=owner, name=clean, query=query, saved_at=work.now)
    work.session.add(row)
    return row.id


def delete_view(work: Work, owner: str, view_id: str) -> None:
    """Forget a view of ``owner``; NotFound when it is not one of theirs."""
    gone = work.session.execute(
        delete(SavedView).where(SavedView.id == view_id, SavedView.owner == owner).returning(SavedView.id)
    ).all()
    if not gone:
        raise NotFound("view", "There is no such view of yours.")


def note_export(work: Work, asked: Mapping[str, str], newest: int) -> None:
    """Entries up to position ``newest`` that match ``asked`` leave the site as a sheet."""
    work.record("entries:export:made", data={"filter": dict(asked), "up_to": newest})
