"""``bposite init``, ``site apply`` and ``doctor``: founding a site, writing its plan, looking after it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml

from bposite import wiring
from bposite.cli.console import fail, with_site
from bposite.journal import actions as journal
from bposite.journal.work import Actor, unit_of_work
from bposite.people.actions import make_admin_link
from bposite.people.queries import enrolled_administrators
from bposite.plumbing import db, health, migrate
from bposite.plumbing.broker import LOOPBACK, port_taken
from bposite.plumbing.errors import Refusal
from bposite.plumbing.secrets import keys_dir
from bposite.plumbing.settings import FILE_NAME, SLUG, current

SETTINGS = """\
# Settings of this site; `bposite doctor` checks them. Secrets stay in keys/, never here.
[site]
id = "{id}"
name = "{name}"
zone = "{zone}"
"""


@click.command()
@click.option("--site", "site_id", default="site-1", show_default=True, help="Slug of the site, used in topics.")
@click.option("--name", default="My site", show_default=True, help="What people call the site.")
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone, such as Asia/Kolkata.")
@click.pass_obj
def init(state_dir: Path, site_id: str, name: str, zone: str) -> None:
    """Found a site, or bring the database of an existing one up to this version.

    Prints the one-time link by which the first administrator sets a password and a second factor.
    """
    found(state_dir, site_id, name, zone)
    app = wiring.open_site(state_dir)
    with app.app_context():
        with db.reading() as session:
            ready = bool(enrolled_administrators(session))
        if ready:
            click.echo("The site is up to date. It has an administrator already.")
            return
        with unit_of_work(Actor.system("init")) as work:
            link = make_admin_link(work)
        click.echo("The site is founded. Start it with `bposite run`, then open this link once, within the day:")
        click.echo(current().web.address + link.path)
    db.close()


def found(state_dir: Path, site_id: str, name: str, zone: str) -> None:
    """Settings file, keys, tables and the journal of a new site; an existing one keeps all it has."""
    _check_slug(site_id)
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = state_dir / FILE_NAME
    if not settings.exists():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        settings.write_text(SETTINGS.format(id=site_id, name=escaped, zone=zone), "utf-8")
    app = wiring.open_site(state_dir, new=True)
    with app.app_context():
        migrate.upgrade()
        with db.transaction() as session:
            journal.found(session)
        journal.make_signing_key(current().state_dir)
    db.close()


def _check_slug(site_id: str) -> None:
    if not re.fullmatch(SLUG, site_id):
        raise Refusal("site", f"{site_id!r} is no slug: small letters, digits and dashes, at most 40.")


@click.group("site")
def site_group() -> None:
    """The fixed parts of the site: zones, doors, devices, cameras, people, desks."""


@site_group.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", help="Fill {NAME} in addresses, e.g. rtsp_port=8554."
)
@with_site
def apply(file: Path, values: tuple[str, ...]) -> None:
    """Write the site plan FILE (YAML) into the database: all of it, or nothing when a row is wrong."""
    counts = apply_plan(file, dict(pair.split("=", 1) for pair in values if "=" in pair))
    for section, count in counts.items():
        click.echo(f"{section}: {count}")


def apply_plan(file: Path, values: dict[str, str]) -> dict[str, int]:
    """Apply a plan file in one unit of work; returns section -> number of rows."""
    try:
        plan = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal("plan", f"{file.name} is not valid YAML: {error}") from error
    if not isinstance(plan, dict):
        raise Refusal("plan", f"{file.name} must be a mapping of sections such as zones and doors.")
    with unit_of_work(Actor.system("site-plan")) as work:
        return wiring.apply_plan(work, _filled(plan, values))


def _filled(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, values) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, values) for part in value]
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace("{" + name + "}", text)
    return value


@click.command()
@with_site
def doctor() -> None:
    """Check the installation and the running parts; exits with 2 when something needs a hand."""
    bad = 0
    for name, good, words in _checks():
        click.secho("  ok   " if good else "  BAD  ", fg="green" if good else "red", nl=False)
        click.echo(f"{name}: {words}")
        bad += not good
    if bad:
        fail(f"{bad} {'thing needs' if bad == 1 else 'things need'} a hand.", 2)


def _checks() -> Iterator[tuple[str, bool, str]]:
    settings = current()
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]
    yield "opencv", True, importlib.metadata.version("opencv-python")
    yield "database", migrate.present() == migrate.head(), f"{db.engine().dialect.name}, revision {migrate.present()}"
    web = settings.web
    private = web.address.startswith("https:") or (web.host in LOOPBACK and not web.url)
    yield "https", private, web.address if private else f"{web.address}: sign-ins can be read on the way. Set web.url."
    key = keys_dir(settings.state_dir) / "master.key"
    yield (
        "keys",
        key.stat().st_mode & 0o077 == 0,
        "readable by their owner only" if key.stat().st_mode & 0o077 == 0 else "others can read them: chmod 600",
    )
    free = shutil.disk_usage(settings.state_dir).free // 2**20
    yield "disk", free > 1024, f"{free} MB free"
    reached = port_taken(settings.mqtt.host, settings.mqtt.port)
    yield "broker", reached, f"{settings.mqtt.host}:{settings.mqtt.port} {'answers' if reached else 'does not answer'}"
    with db.reading() as session:
        for part in health.parts(session):
            yield part.name, part.state != "down", f"{part.state} {part.detail}".strip()
    yield "user", os.geteuid() != 0, "not root" if os.geteuid() else "runs as root: use an account of its own"


commands = (init, site_group, doctor)
