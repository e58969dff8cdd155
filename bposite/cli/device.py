"""``bposite device``: certificates of the broker and of door controllers."""

from __future__ import annotations

from pathlib import Path

import click

from bposite.cli.console import with_site
from bposite.doors import authority
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.settings import current

ME = Actor.system("command-line")


@click.group()
def device() -> None:
    """Certificates of the broker and of door controllers (for Mosquitto with hardware/broker)."""


def _folder() -> Path:
    return current().state_dir / "broker"


@device.command("authority")
@click.option("--host", "hosts", multiple=True, required=True, help="Name or address of the broker; may be repeated.")
@with_site
def found(hosts: tuple[str, ...]) -> None:
    """Make the site's own authority, the broker's certificate and the site's; what exists is kept."""
    authority.found(_folder(), current().site.id, list(hosts))
    with unit_of_work(ME) as work:
        work.record("doors:authority:founded", data={"hosts": list(hosts)})
    click.echo(f"{_folder()}: ca.crt, broker.crt, broker.key, revoked.crl for Mosquitto;")
    click.echo(f"set mqtt.cert_file and mqtt.key_file of the site to {authority.SITE}.crt and .key.")


@device.command("enrol")
@click.argument("name")
@with_site
def enrol(name: str) -> None:
    """Make key and certificate of the controller NAME; hand both files to the installer and delete the key here."""
    pair = authority.enrol(_folder(), name)
    with unit_of_work(ME) as work:
        work.record("doors:device:enrolled", subject=name, data={"until": pair.until.isoformat()})
    click.echo(f"{pair.certificate}\n{pair.key}\n{_folder() / 'ca.crt'}\nvalid until {pair.until:%Y-%m-%d}")


@device.command("revoke")
@click.argument("name")
@with_site
def revoke(name: str) -> None:
    """Take the certificate of NAME out of use; then let Mosquitto read the list again (SIGHUP)."""
    authority.revoke(_folder(), name)
    with unit_of_work(ME) as work:
        work.record("doors:device:revoked", subject=name)
    click.echo("Revoked. Send SIGHUP to Mosquitto; an open connection of the device ends with its next start.")


commands = (device,)
