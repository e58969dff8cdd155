#!/usr/bin/env python3
"""Checks an evidence pack by itself: Python's standard library and the program ``openssl``, nothing of bposite.

    python3 check_pack.py [FOLDER] [--key NAME+HASH+BASE64]

Exit code 0: everything in the folder agrees. 1: something was changed, and the first bad record is named. 2: the check
could not be made. Give ``--key`` from another source than this folder: whoever made the folder also wrote its key.

It proves that these records are the ones the site signed. It does not prove that an event was true, nor that the filter
left nothing out: for completeness compare device numbers (``boot``, ``seq``) and ask for the whole journal.
"""

import argparse
import base64
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: what stands before the 32 bytes of the key

SHEET = {name: name for name in ("decision", "reason", "direction", "zone", "person", "visit", "device", "boot", "seq")}
SHEET["class"] = "cls"
"""Column of the sheet -> name in the signed content; an apostrophe in front keeps spreadsheets from running a cell."""


class ChangedError(Exception):
    """Something does not agree."""


def main() -> int:
    """Check the folder that is named on the command line."""
    parser = argparse.ArgumentParser(description="Checks an evidence pack.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", default="", help="the site's public key, from another source than the pack")
    given = parser.parse_args()
    try:
        count, size = check(given.folder, given.key)
    except ChangedError as error:
        return say(f"CHANGED: {error}", 1)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return say(f"could not be checked: {error!r}", 2)
    hint = "" if given.key else "\nthe key came with the pack: compare it with one from another source (--key)"
    return say(f"{count} records agree with the signed journal of {size} facts{hint}", 0)


def say(words: str, code: int) -> int:
    """Tell the person, and give the exit code back."""
    sys.stdout.write(words + "\n")
    return code


def check(folder: Path, key: str) -> tuple[int, int]:
    """Files, signature, every record; (records, facts under the checkpoint)."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    if key and key != manifest["key"]:
        raise ChangedError("the pack was signed with another key than the one given")
    for name, digest in manifest["files"].items():
        if Path(name).name != name:
            raise ChangedError(f"the manifest names a file outside the pack: {name}")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ChangedError(f"file {name} is not the one of the manifest")
    size, root = signed_head(manifest["checkpoint"], manifest["key"])
    records = [json.loads(line) for line in (folder / "entries.jsonl").read_text("utf-8").splitlines()]
    positions = [check_record(record, size, root) for record in records]
    if len(positions) != manifest["count"] or positions != sorted(set(positions)):
        raise ChangedError(f"{manifest['count']} records were packed, {len(positions)} are here")
    check_sheet(folder / "entries.csv", records)
    return len(positions), size


def signed_head(note: str, key: str) -> tuple[int, bytes]:
    """The size and the root of a checkpoint (C2SP signed note) whose signature is good."""
    body, _, tail = note.partition("\n\n")
    origin, size, root = body.split("\n")
    name, _, stamp = tail.strip()[2:].rpartition(" ")
    public = base64.b64decode(key.split("+", 2)[2])[1:]
    signature = base64.b64decode(stamp)[4:]
    if name != origin or key.split("+", 1)[0] != origin:
        raise ChangedError("the checkpoint is of another log than the key")
    with tempfile.TemporaryDirectory() as place:
        files = {"key": SPKI_ED25519 + public, "sig": signature, "body": (body + "\n").encode()}
        for file, content in files.items():
            (Path(place) / file).write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin"]
        done = subprocess.run(
            [*command, "-in", "body", "-sigfile", "sig"], cwd=place, capture_output=True, check=False
        )  # fmt: skip
    if done.returncode != 0:
        raise ChangedError("the checkpoint is not signed with the key of the pack")
    return int(size), base64.b64decode(root)


def check_record(record: dict[str, Any], size: int, root: bytes) -> int:
    """One record: its content, its leaf, its place in the signed tree; returns its number."""
    seq, commit = int(record["seq"]), str(record["commit"])
    if record["payload"] is not None:
        content = bytes.fromhex(record["salt"]) + record["payload"].encode()
        if hashlib.sha256(content).hexdigest() != commit:
            raise ChangedError(f"record {seq}: its content was changed")
    text = b'\x00[1,%d,%d,"%b","%b"]' % (seq, record["ts"], record["kind"].encode(), commit.encode())
    path = [bytes.fromhex(step) for step in record["path"]]
    if climb(hashlib.sha256(text).digest(), seq, size, path) != root:
        raise ChangedError(f"record {seq}: it is not in the signed journal")
    return seq


def climb(value: bytes, seq: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a leaf leads (RFC 9162 section 2.1.3.2); empty when the path does not fit."""
    node, last = seq, size - 1
    if not 0 <= seq < size:
        return b""
    for step in path:
        if last == 0:
            return b""
        if node & 1 or node == last:
            value = hashlib.sha256(b"\x01" + step + value).digest()
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\x01" + value + step).digest()
        node, last = node >> 1, last >> 1
    return value if last == 0 else b""


def check_sheet(file: Path, records: list[dict[str, Any]]) -> None:
    """The sheet for people says what the records say. Names of people and doors are not signed: numbers and ids are."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    if [int(row["position"]) for row in rows] != [record["seq"] for record in records]:
        raise ChangedError("the sheet has other rows than the records")
    for row, record in zip(rows, records, strict=True):
        if record["payload"] is not None:
            check_row(row, json.loads(record["payload"])["data"])


def check_row(row: dict[str, str], data: dict[str, Any]) -> None:
    """One row of the sheet against the signed content of its entry."""
    at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=data["time_used"])  # noqa: UP017 -- older Pythons, too
    if datetime.fromisoformat(row["time_utc"]) != at or datetime.fromisoformat(row["time_site"]) != at:
        raise ChangedError(f"the sheet, row {row['position']}: the time is not the one of the record")
    for column, name in SHEET.items():
        told, wanted = row[column], data.get(name)
        if told not in (("",) if wanted is None else (str(wanted), f"'{wanted}")):
            raise ChangedError(f"the sheet, row {row['position']}: {column} is not the one of the record")


if __name__ == "__main__":
    sys.exit(main())
