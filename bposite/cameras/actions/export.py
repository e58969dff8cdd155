"""Evidence to take away: the pictures and clips of an entry in one file, with hashes, manifest and proofs."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bposite.cameras import queries
from bposite.cameras.capture.store import EvidenceStore, Stored
from bposite.cameras.queries import FrameInfo
from bposite.doors.queries import EntryRow, entry
from bposite.journal.queries import tail
from bposite.journal.receipt import receipt
from bposite.journal.work import Work
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current

FORMAT = "bposite-evidence-v1"
FACTS = ("cameras:frame:linked", "cameras:link:settled")
SEARCH_FACTS = 20_000
MIN_REASON, MAX_REASON = 3, 400
EPOCH = (1980, 1, 1, 0, 0, 0)
READ_ME = """Evidence of one entry, made by bposite.

manifest.json   what each file is, its SHA-256, the times and how sure they are
pictures, clips as the camera sent them; a picture called "masked" leaves out what the site hides
proofs          one JSON file for each journal fact behind them: anybody can check it against the site's
                public key (bposite verify-proof FILE, or the steps in the document of the format)
SHA256SUMS      sha256sum -c SHA256SUMS checks all files
"""


class Package(msgspec.Struct, frozen=True):
    """A finished file of evidence."""

    name: str
    content: bytes
    sha256: str
    links: tuple[str, ...]


def checked_reason(reason: str) -> str:
    """The reason of a person for taking pictures away; Refusal beside the field when there is none."""
    text = " ".join(reason.split())
    if not MIN_REASON <= len(text) <= MAX_REASON:
        message = f"Give a reason of {MIN_REASON} to {MAX_REASON} characters."
        raise Refusal("reason_needed", message, field="reason", remedy="Say who asked and what for.")
    return text


def make_package(session: Session, store: EvidenceStore, position: int, reason: str, by: str, at: datetime) -> Package:
    """Everything that is known of an entry's pictures, read only. NotFound when there is no entry or no picture."""
    row = entry(session, position)
    infos = [info for info in queries.frames_for(session, [position]).get(position, []) if info.purged_at is None]
    if row is None or not any(info.has_picture or info.has_clip for info in infos):
        raise NotFound("evidence", "This entry has no picture or clip to take away.")
    files = list(_files(session, store, position, infos))
    manifest = {
        "format": FORMAT,
        "site": current().site.id,
        "made_at": at.isoformat(),
        "made_by": by,
        "reason": reason,
        "entry": _entry(row),
        "links": [_link(info) for info in infos],
        "files": [
            {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files
        ],
    }
    content = _zip([("manifest.json", _json(manifest)), *files])
    name = f"evidence-{current().site.id}-{position}.zip"
    return Package(name, content, hashlib.sha256(content).hexdigest(), tuple(info.id for info in infos))


def record_export(work: Work, position: int, package: Package, reason: str) -> None:
    """Who took what away, and why; in the journal before the file leaves the house."""
    data = {"position": position, "reason": reason, "sha256": package.sha256, "links": list(package.links)}
    work.record("cameras:evidence:exported", subject=str(position), data=data)


def _files(
    session: Session, store: EvidenceStore, position: int, infos: Sequence[FrameInfo]
) -> Iterator[tuple[str, bytes]]:
    for info in infos:
        base = f"{info.camera}-{info.offset_ms:+d}ms" if info.offset_ms else info.camera
        if info.has_picture and info.picture_path:
            word = "masked" if info.view_path else "picture"
            yield f"{base}-{word}.jpg", _read(store, info.view_path or info.picture_path)
        if info.has_clip and info.clip_path and not info.masked:
            yield f"{base}-clip.{info.clip_path.rsplit('.', 1)[-1]}", _read(store, info.clip_path)
    for seq in [position, *_facts_of(session, position, {info.id for info in infos})]:
        document = receipt(session, seq)
        if document is not None:
            yield f"proofs/fact-{seq}.json", _json(document.document())


def _facts_of(session: Session, position: int, links: set[str]) -> Iterator[int]:
    """Journal numbers of the facts about these links: they follow their entry closely, so the search starts there."""
    wanted, after = {(link, kind) for link in links for kind in FACTS}, position
    while wanted and (found := tail(session, after, FACTS, limit=500)) and after < position + SEARCH_FACTS:
        for fact in found:
            if (fact.subject, fact.kind) in wanted:
                wanted.discard((fact.subject or "", fact.kind))
                yield fact.seq
        after = found[-1].seq


def _read(store: EvidenceStore, path: str) -> bytes:
    try:
        return store.path(path).read_bytes()
    except OSError as error:
        message = "A file of this entry is missing, so nothing was packed."
        raise NotFound("evidence_file", message, remedy="Ask an administrator to run bposite verify.") from error


def _entry(row: EntryRow) -> dict[str, Any]:
    names = ("position", "time_used", "time_source", "device", "door", "direction", "zone", "decision", "reason")
    return {name: _plain(getattr(row, name)) for name in names}


def _link(info: FrameInfo) -> dict[str, Any]:
    names = ("id", "camera", "camera_name", "door", "offset_ms", "wanted_at", "state", "reason", "gap_ms", "frame_at")
    more = ("time_source", "error_us", "clock_bad", "damaged", "picture_sha256", "view_sha256", "clip_sha256")
    return {name: _plain(getattr(info, name)) for name in (*names, *more)}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _zip(files: Sequence[tuple[str, bytes]]) -> bytes:
    """A ZIP whose bytes depend on its content only."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [("README.txt", READ_ME.encode()), *files, ("SHA256SUMS", sums.encode())]:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data)
    return buffer.getvalue()


def record_redaction(
    work: Work, info: FrameInfo, made: Stored, boxes: Sequence[Sequence[float]], keep: bool, reason: str
) -> None:
    """A person has confirmed a redacted copy. The sealed original and what was hidden stay traceable."""
    data = {
        "position": info.position,
        "camera": info.camera,
        "source_sha256": info.picture_sha256,
        "boxes": [list(box) for box in boxes],
        "kept": keep,
        "reason": reason,
        "files": [msgspec.structs.asdict(made)],
    }
    work.record("cameras:picture:redacted", subject=info.id, data=data)
