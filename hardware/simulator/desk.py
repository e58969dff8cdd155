"""The reception desk's computer: a web client that signs in like a person and presses the product's own buttons."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import http.cookiejar
import re
import secrets
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 20.0
CODE_S = 30  # a code's life, RFC 6238


class DeskError(Exception):
    """The desk could not do something; the message is what the page said, or why there was none."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answered page: its final address (path), status and text."""

    path: str
    status: int
    text: str

    @property
    def visit(self) -> str:
        """The visit that the address names. Raises DeskError when it names none."""
        found = re.search(r"/reception/visits/([0-9A-Za-z]{26})", self.path)
        if found is None:
            raise DeskError(f"no visit at {self.path}: {self.complaint()}")
        return found[1]

    @property
    def next_step(self) -> str:
        """What the page of a visit wants done next."""
        found = re.search(r'data-next="([a-z_]+)"', self.text)
        return found[1] if found else ""

    @property
    def code(self) -> str:
        """The pass code that the page shows as a QR symbol; empty when it shows none."""
        found = re.search(r'data-code="([A-Z]+)"', self.text)
        return found[1] if found else ""

    def complaint(self) -> str:
        """What the page says is wrong, as one line."""
        found = re.findall(r'class="(?:error|note refused)"[^>]*>(.*?)</p>', self.text, re.DOTALL)
        words = " ".join(re.sub(r"<[^>]+>", "", one).strip() for one in found)
        return html.unescape(words)[:300] or f"status {self.status}"


class Desk:
    """One signed-in browser. Every method raises DeskError when the product does not do what was asked."""

    def __init__(self, url: str, user: dict[str, Any]) -> None:
        self._url, self._user = url.rstrip("/"), user
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self._last_code = ""

    def sign_in(self) -> None:
        """Sign in with password and authenticator code; a code that was used already is waited out."""
        self._fill("/sign-in", {"name": self._user["name"], "password": self._user["password"]})
        for _ in range(3):
            code = totp(str(self._user["totp_secret"]), time.time())
            if code != self._last_code:
                self._last_code = code
                page = self._fill("/sign-in/code", {"code": code})
                if not page.path.startswith("/sign-in"):
                    return
            time.sleep(CODE_S - time.time() % CODE_S + 1)
        raise DeskError("the sign-in was refused")

    def get(self, path: str) -> Page:
        """A page; signs in again when the session has ended."""
        page = self._send(path, None, None)
        if page.path.startswith("/sign-in") and not path.startswith("/sign-in"):
            self.sign_in()
            page = self._send(path, None, None)
        return page

    def press(self, path: str, fields: dict[str, Any], page_with_form: str) -> Page:
        """Send a form of a page. Raises DeskError with the page's complaint when it is refused."""
        page = self._fill(path, fields, page_with_form)
        if page.status >= 400:
            raise DeskError(page.complaint())
        return page

    def photo(self, visit: str, jpeg: bytes) -> None:
        """Upload the guest's picture."""
        home = f"/reception/visits/{visit}"
        boundary, token = secrets.token_hex(16), self._token(home)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'.encode(),
            f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="guest.jpg"\r\n'.encode(),
            b"Content-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n",
            f"--{boundary}--\r\n".encode(),
        ]
        page = self._send(f"{home}/photo", b"".join(parts), f"multipart/form-data; boundary={boundary}")
        if page.status >= 400:
            raise DeskError(page.complaint())

    def _fill(self, path: str, fields: dict[str, Any], page_with_form: str = "") -> Page:
        token = self._token(page_with_form or path)
        body = urllib.parse.urlencode({"csrf_token": token} | fields, doseq=True).encode()
        return self._send(path, body, "application/x-www-form-urlencoded")

    def _token(self, path: str) -> str:
        page = self.get(path)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        if found is None:
            raise DeskError(f"no form at {path}: {page.complaint()}")
        return html.unescape(found[1])

    def _send(self, path: str, body: bytes | None, kind: str | None) -> Page:
        headers = {"Content-Type": kind} if kind else {}
        headers |= {"Origin": self._url, "Referer": self._url + path}
        request = urllib.request.Request(self._url + path, body, headers)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return _page(answer.geturl(), answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return _page(error.geturl(), error.code, error.read())
        except OSError as error:
            raise DeskError(f"{self._url} does not answer: {error}") from error


def _page(url: str, status: int, body: bytes) -> Page:
    return Page(urllib.parse.urlsplit(url).path, status, body.decode("utf-8", "replace"))


def totp(secret: str, at: float) -> str:
    """The six digits of an authenticator at a time (RFC 6238: HMAC-SHA1, steps of 30 s)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.new(key, struct.pack(">Q", int(at) // CODE_S), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
