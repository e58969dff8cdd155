"""Notes to a running listener: what it holds in memory has been changed by somebody else."""

from __future__ import annotations

from typing import Literal

from bposite.doors.tables import Note
from bposite.journal.work import Work

Kind = Literal["policy", "presence", "lockdown", "mode", "sequence", "replay"]


def note(work: Work, kind: Kind, subject: str = "") -> None:
    """Tell listeners to read ``kind`` again (for ``subject``, or all of it), once this unit of work is committed."""
    work.session.add(Note(kind=kind, subject=subject, at=work.now))
