"""Where the cameras' files lie in the state directory."""

from pathlib import Path

from bposite.cameras.capture.store import EvidenceStore
from bposite.plumbing.settings import current


def evidence_store() -> EvidenceStore:
    """Pictures and clips that are evidence, named by their hashes."""
    return EvidenceStore(current().state_dir / "evidence")


def ring_folder(camera_id: str) -> Path:
    """The rolling recording of one camera; never evidence."""
    return current().state_dir / "ring" / camera_id


def still_path(camera_id: str) -> Path:
    """The newest still of a camera for the wall, replaced every few seconds (masks applied)."""
    return current().state_dir / "stills" / f"{camera_id}.jpg"


def thumb_path(sha256: str) -> Path:
    """A small copy of the picture with this hash, for lists; made again whenever it is missing."""
    return current().state_dir / "thumbs" / sha256[:2] / f"{sha256[2:]}.jpg"


def lock_path() -> Path:
    """Held by the one cameras process of a site."""
    return current().state_dir / "cameras.lock"
