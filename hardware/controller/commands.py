"""What the site tells a controller to do: at most once per nonce, never after its expiry, always with a result."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from contract import BadMessageError, decode, encode, instant, stamp
from doors import Said
from lists import PARTS, AccessList, RefusedError

if TYPE_CHECKING:
    from core import Controller

MAX_OPEN_MS = 60_000


class Commands:
    """Carries out `cmd/{name}` and takes over `cfg/{part}`."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._do = {
            "unlock": self._unlock,
            "lock": self._lock,
            "lockdown": self._lock,
            "release": self._release,
            "resend": self._resend,
            "sync": self._sync,
        }
        self._load()

    def take(self, name: str, body: dict[str, Any]) -> None:
        """Do one command and answer it on `res/{name}`. The same nonce again: the same answer, and nothing moves."""
        nonce = body.get("nonce")
        if name not in self._do or not isinstance(nonce, str) or not 1 <= len(nonce) <= 80:
            raise BadMessageError("a command without a known name and a nonce")
        store, expires = self._controller.store, instant(body, "exp").timestamp()
        result = store.result(nonce)
        if result is None:
            detail = self._perform(name, body, expires)
            now = self._controller.clock.now()
            result = encode(
                {"nonce": nonce, "ok": not detail, "time": stamp(now)} | ({"detail": detail} if detail else {})
            )
            store.keep_result(nonce, expires, result, now.timestamp())
        self._controller.line.publish(self._controller.settings.names.topic("res", name), result)

    def _perform(self, name: str, body: dict[str, Any], expires: float) -> str:
        """What went wrong, or nothing."""
        if self._controller.clock.now().timestamp() >= expires:
            return "expired"
        door = body.get("door")
        if name not in ("resend", "sync") and door not in self._controller.doors:
            return "no such door"
        return self._do[name](name, str(door or ""), body)

    def _unlock(self, name: str, door: str, body: dict[str, Any]) -> str:
        if self._controller.doors[door].mode == "lockdown":
            return "lockdown"
        length = body.get("open_ms")
        if not isinstance(length, int) or not 0 < length <= MAX_OPEN_MS:
            length = self._controller.settings.door(door).open_ms
        grant = self._controller.operator_grant(door, "operator", "operator-unlock")
        self._controller.say(Said("access", grant))
        self._controller.release(door, length, grant)
        return ""

    def _lock(self, name: str, door: str, body: dict[str, Any]) -> str:
        mode = "lockdown" if name == "lockdown" else "locked"
        self._controller.lock(door, mode)
        return ""

    def _release(self, name: str, door: str, body: dict[str, Any]) -> str:
        plan = self._controller.settings.door(door)
        self._controller.lock(door, "unlocked" if plan.unlocked else "normal")
        return ""

    def _resend(self, name: str, door: str, body: dict[str, Any]) -> str:
        boot, ranges = body.get("boot"), body.get("ranges", ())
        pairs = all(isinstance(one, list) and len(one) == 2 and all(isinstance(n, int) for n in one) for one in ranges)
        if not isinstance(boot, str) or not pairs:
            return "boot and ranges are needed"
        self._controller.forwarder.resend(boot, ranges)
        return ""

    def _sync(self, name: str, door: str, body: dict[str, Any]) -> str:
        self._controller.birth()
        self._controller.forwarder.connected(time.monotonic())
        return ""

    # signed lists

    def configure(self, part: str, payload: bytes) -> None:
        """Take over a signed list, and answer `state/cfg` with the version in use and, when refused, why."""
        try:
            new = AccessList.read(decode(payload), self._controller.settings.site_key)
            if new.part != part:
                raise BadMessageError("topic and list name different parts")
            if self._controller.lists.take(new, self._controller.clock.now()):
                self._controller.store.keep_document(part, new.version, payload)
                self._controller.say(Said("system", {"reason": "list-changed", "detail": f"{part} {new.version}"}))
            self._tell(new.part, "")
        except RefusedError as refused:
            self._tell(part, str(refused))

    def tell_versions(self) -> None:
        """Say which lists are in use."""
        for part in self._controller.lists.parts:
            self._tell(part, "")

    def _load(self) -> None:
        """The lists of the last run, checked again: a store may have been tampered with."""
        for part in PARTS:
            held = self._controller.store.document(part)
            if held is not None:
                with contextlib.suppress(RefusedError, BadMessageError):
                    new = AccessList.read(decode(held[1]), self._controller.settings.site_key)
                    self._controller.lists.take(new, self._controller.clock.now())

    def _tell(self, part: str, refused: str) -> None:
        held = self._controller.lists.parts.get(part)
        body = {"part": part, "version": held.version if held else 0, "time": stamp(self._controller.clock.now())}
        body |= {"refused": refused} if refused else {}
        self._controller.line.publish(self._controller.settings.names.topic("state", "cfg"), encode(body), retain=True)
