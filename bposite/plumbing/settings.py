"""One frozen, typed settings object. Environment over the site's file over defaults; an unknown key is an error.

A site's own settings and secrets live in its state directory, never in ``config/``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bposite.plumbing.errors import Refusal

FILE_NAME = "settings.toml"
SLUG = r"^[a-z0-9-]{1,40}$"


class Part(BaseModel):
    """Base of all groups: immutable, closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Site(Part):
    """The site that this installation guards."""

    id: str = Field("site-1", pattern=SLUG, title="Site", description="slug used in topics and exports")
    name: str = Field("My site", max_length=120, title="Name", description="what people call the site")
    zone: str = Field("UTC", title="Time zone", description="IANA name, for people; stored time is UTC")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone such as Asia/Kolkata")
        return value


class Web(Part):
    """The web server."""

    host: str = Field("127.0.0.1", title="Address", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, title="Port", description="TCP port")
    url: str = Field("", title="Public address", description="as people type it; empty: made from host and port")
    threads: int = Field(96, ge=8, le=512, title="Threads", description="worker threads; each live stream holds one")
    streams: int = Field(48, ge=1, le=256, title="Live streams", description="open live streams at most")
    streams_per_user: int = Field(6, ge=1, le=64, title="Live streams per person", description="at most")
    proxies: int = Field(0, ge=0, le=4, title="Proxies", description="trusted reverse proxies in front")

    @property
    def address(self) -> str:
        """The address people type."""
        return self.url or f"http://{self.host}:{self.port}"


class Mqtt(Part):
    """The broker that devices publish to."""

    host: str = Field("127.0.0.1", title="Host", description="broker address")
    port: int = Field(1883, ge=0, le=65535, title="Port", description="broker port")
    username: str = Field("", title="User name", description="empty: none")
    password: SecretStr = Field(SecretStr(""), title="Password", description="of the site's own connection")
    tls: bool = Field(False, title="TLS", description="connect by TLS")
    ca_file: str = Field("", title="Authority", description="PEM file of the authority that signed the broker")
    cert_file: str = Field("", title="Certificate", description="PEM file of the site's certificate")
    key_file: str = Field("", title="Key", description="PEM file of the site's private key")
    embedded: bool = Field(True, title="Embedded broker", description="run the embedded broker on host and port")
    keepalive: int = Field(10, ge=2, le=300, title="Keep-alive", description="seconds; a dead link shows after 1.5x")


class Cameras(Part):
    """Rings and evidence."""

    ring_seconds: int = Field(30, ge=5, le=300, title="Ring in memory", description="seconds a camera")
    disk_ring_mb: int = Field(512, ge=16, title="Ring on disk", description="megabytes a camera; never evidence")
    pre_roll: float = Field(5.0, ge=0, le=30, title="Before", description="seconds of clip before an event")
    post_roll: float = Field(5.0, ge=0, le=30, title="After", description="seconds of clip after an event")


class Settings(Part):
    """Everything a site can set. The state directory and the database address come from the environment or options."""

    state_dir: Path = Field(title="State directory", description="database, keys, pictures, rings")
    database_url: SecretStr = Field(SecretStr(""), title="Database", description="SQLAlchemy address; empty: SQLite")
    anchor_dir: str = Field("", title="Anchors", description="folder (on another machine) for signed checkpoints")
    checkpoint_seconds: int = Field(60, ge=1, le=3600, title="Checkpoints", description="seconds between two")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", title="Log level", description="least level")
    site: Site = Site()
    web: Web = Web()
    mqtt: Mqtt = Mqtt()
    cameras: Cameras = Cameras()

    @property
    def database(self) -> str:
        """The address of the database: the one that is set, else a SQLite file in the state directory."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.state_dir / 'bposite.sqlite3'}"


def load(state_dir: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the site in ``state_dir``; Refusal names the key that is wrong."""
    env = os.environ if environ is None else environ
    data = _file(state_dir / FILE_NAME)
    _overlay(data, env)
    try:
        return Settings(state_dir=state_dir.resolve(), **data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refusal("settings", f"{where}: {first['msg']}", field=where, remedy=f"Mend {FILE_NAME}.") from error


def state_dir_from(environ: Mapping[str, str] | None = None) -> Path:
    """``BPOSITE_STATE_DIR``, else ``state`` below the working directory."""
    env = os.environ if environ is None else environ
    return Path(env.get("BPOSITE_STATE_DIR") or "state")


def _file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(
            "settings", f"{path.name} is not valid TOML: {error}", remedy="Mend the line it names."
        ) from error


def _overlay(data: dict[str, Any], env: Mapping[str, str]) -> None:
    if url := env.get("BPOSITE_DATABASE_URL"):
        data["database_url"] = url
    if port := env.get("BPOSITE_WEB_PORT"):
        data.setdefault("web", {})["port"] = port
    if port := env.get("BPOSITE_MQTT_PORT"):
        data.setdefault("mqtt", {})["port"] = port
    if level := env.get("BPOSITE_LOG_LEVEL"):
        data["log_level"] = level
    if url := env.get("BPOSITE_MQTT_URL"):
        data.setdefault("mqtt", {}).update(_mqtt_url(url))


def _mqtt_url(url: str) -> dict[str, Any]:
    """``mqtt[s]://user:password@host:port`` as settings; an outside broker switches the embedded one off."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise Refusal("settings", "BPOSITE_MQTT_URL is not of the form mqtt://user:password@host:port")
    tls = parts.scheme == "mqtts"
    return {
        "host": parts.hostname,
        "port": parts.port or (8883 if tls else 1883),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls": tls,
        "embedded": False,
    }


_current: Settings | None = None


def configure(settings: Settings) -> None:
    """Make ``settings`` the ones of this process."""
    global _current
    _current = settings


def current() -> Settings:
    """The settings of this process; RuntimeError when wiring has not set any."""
    if _current is None:
        raise RuntimeError("no settings yet: wiring.open_site comes first")
    return _current
