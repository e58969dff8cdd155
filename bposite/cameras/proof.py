"""The cameras' part of ``bposite verify``: every picture and clip is the file that its fact says it is."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.cameras.capture.store import EvidenceStore, file_digest
from bposite.cameras.places import evidence_store
from bposite.cameras.tables import FrameLink
from bposite.journal.proof import Problem
from bposite.journal.queries import Fact, facts

KINDS = (
    "cameras:frame:linked",
    "cameras:link:settled",
    "cameras:camera:reference-confirmed",
    "cameras:picture:redacted",
)
PURGED = "cameras:pictures:purged"


def witness(session: Session) -> Iterator[Problem]:
    """Files that are missing or changed, and rows that name other files than their facts."""
    store = evidence_store()
    purged = {file["path"] for fact in facts(session, (PURGED,)) for file in _files(fact)}
    told: dict[str, set[str]] = {}
    for fact in facts(session, KINDS):
        for file in _files(fact):
            told.setdefault(fact.subject or "", set()).add(file["sha256"])
            if file["path"] not in purged:
                yield from _check(store, fact, file["path"], file["sha256"])
    yield from _rows(session, told)


def _files(fact: Fact) -> list[dict[str, str]]:
    """The files that a fact binds; none when its content was erased."""
    return list(fact.data["files"]) if isinstance(fact.data, dict) else []


def _check(store: EvidenceStore, fact: Fact, path: str, sha256: str) -> Iterator[Problem]:
    try:
        digest, _ = file_digest(store.path(path))
    except (OSError, ValueError):
        yield Problem(f"picture {path}", f"is missing (journal fact {fact.seq})")
        return
    if digest != sha256:
        yield Problem(f"picture {path}", f"was changed or swapped (journal fact {fact.seq})")


def _rows(session: Session, told: dict[str, set[str]]) -> Iterator[Problem]:
    columns = (FrameLink.id, FrameLink.position, FrameLink.picture_sha256, FrameLink.view_sha256, FrameLink.clip_sha256)
    for link_id, position, *hashes in session.execute(select(*columns)):
        if not {value for value in hashes if value} <= told.get(link_id, set()):
            yield Problem(f"link {link_id} of entry {position}", "names a file that no journal fact knows")
