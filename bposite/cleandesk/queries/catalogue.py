"""The catalogue in force, and the ones that earlier observations were made under."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml
from sqlalchemy.orm import Session

from bposite.cleandesk.rules.catalogue import Catalogue, read
from bposite.cleandesk.rules.claims import Limits
from bposite.cleandesk.tables import CatalogueVersion
from bposite.plumbing import resources
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current

FILE = "clean_desk.yaml"


def in_force() -> Catalogue:
    """The site's own catalogue in its state directory, or else the one that ships; Refusal names what is wrong."""
    own = current().state_dir / FILE
    path = own if own.is_file() else resources.root("config") / FILE
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Catalogue:
    try:
        return read(yaml.safe_load(path.read_text("utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise Refusal("catalogue", str(error), remedy=f"Mend {path.name}.") from error


def digest(catalogue: Catalogue) -> str:
    """SHA-256 of the catalogue as JSON: fields in the order of the type, entries in that of the file."""
    return hashlib.sha256(msgspec.json.encode(catalogue)).hexdigest()


def limits(catalogue: Catalogue) -> Limits:
    """What a claim has to keep, from the catalogue."""
    sampling = catalogue.sampling
    return Limits(sampling.not_observed_max_share, sampling.kappa_floor, sampling.double_audit_share)


def of_version(session: Session, version: int) -> Catalogue:
    """The catalogue of a version that was used here; NotFound when there is none."""
    newest = in_force()
    if newest.version == version:
        return newest
    row = session.get(CatalogueVersion, version)
    if row is None:
        raise NotFound("catalogue", f"There is no version {version} of the clean desk catalogue.")
    return read(row.content)
