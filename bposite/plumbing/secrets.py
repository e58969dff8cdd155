"""The site's own keys: keyed hashes, sealed values, and the key that signs checkpoints.

Keys are files in ``<state>/keys`` with mode 0600, made at ``bposite init``; they are never in the database or a log.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current

NONCE = 12


def keyed_hash(purpose: str, value: str) -> str:
    """HMAC-SHA256 of ``value`` under the site's key for ``purpose``: 64 hexadecimal characters."""
    return hmac.new(key(purpose), value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two texts are equal, in constant time; any characters are allowed (compare_digest takes ASCII only)."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def seal(purpose: str, value: bytes) -> bytes:
    """``value`` encrypted (AES-256-GCM) under the site's key for ``purpose``."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key(purpose)).encrypt(nonce, value, purpose.encode())


def unseal(purpose: str, sealed: bytes) -> bytes:
    """What ``seal`` took; Refusal when it was sealed under another key or changed."""
    try:
        return AESGCM(key(purpose)).decrypt(sealed[:NONCE], sealed[NONCE:], purpose.encode())
    except InvalidTag as error:
        raise Refusal("sealed", "a sealed value does not open with this site's key", remedy="Restore keys/.") from error


def key(purpose: str) -> bytes:
    """32 bytes for ``purpose``, derived from the site's master key."""
    return hmac.new(_master(current().state_dir), purpose.encode(), hashlib.sha256).digest()


def keys_dir(state_dir: Path) -> Path:
    """The folder of key files."""
    return state_dir / "keys"


def make_key_file(path: Path, content: bytes) -> None:
    """Write a key file once with mode 0600; an existing one is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def make_master(state_dir: Path) -> None:
    """Make the master key of a new site."""
    make_key_file(keys_dir(state_dir) / "master.key", secrets.token_bytes(32))


@lru_cache(maxsize=8)
def _master(state_dir: Path) -> bytes:
    path = keys_dir(state_dir) / "master.key"
    if not path.exists():
        raise Refusal("no_keys", "this site has no keys yet", remedy="Run bposite init.")
    return path.read_bytes()
