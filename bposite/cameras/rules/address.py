"""Camera addresses without their secrets: credentials are split off at once and never shown or logged."""

import re
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]*@")


class Address(msgspec.Struct, frozen=True):
    """A camera address in two parts: `url` is public, `username` and `password` are secrets."""

    url: str
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without the credentials: representations end up in logs."""
        return f"Address({self.url!r}, credentials={'***' if self.username else 'none'})"

    def full(self) -> str:
        """The address with its credentials, for the library that opens it and for nobody else."""
        if not self.username:
            return self.url
        parts = urlsplit(self.url)
        user = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@"
        return urlunsplit(parts._replace(netloc=user + parts.netloc))


def parse(text: str) -> Address:
    """Split an address. ValueError in words for people when it is not one of a camera."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError("The address cannot be read. Write it like rtsp://192.0.2.10:554/stream1.") from error
    if parts.scheme not in SCHEMES:
        raise ValueError("A camera address starts with rtsp://, rtsps://, http://, https:// or file://.")
    if parts.scheme != "file" and not parts.hostname:
        raise ValueError("The address names no host. Write it like rtsp://192.0.2.10:554/stream1.")
    host = parts.netloc.rpartition("@")[2] if port is not None or parts.netloc else parts.netloc
    clean = urlunsplit(parts._replace(netloc=host, fragment=""))
    return Address(clean, unquote(parts.username or ""), unquote(parts.password or ""))


def host(url: str) -> str:
    """The host of a public address, in small letters; empty for a file. To it credentials belong."""
    return (urlsplit(url).hostname or "").lower()


def scrub(text: str) -> str:
    """A message with the credentials of any address in it blotted out (library errors quote whole addresses)."""
    return _USERINFO.sub("***@", text)
