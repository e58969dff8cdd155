"""The processes of a site: ``run`` keeps the others; each can also be run by itself, under systemd for example."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import click
from waitress.server import BaseWSGIServer, create_server

from bposite import wiring
from bposite.cameras import worker as cameras_worker
from bposite.cli.console import with_site
from bposite.doors import listener
from bposite.plumbing import broker, health
from bposite.plumbing.db import close
from bposite.plumbing.migrate import require_head
from bposite.plumbing.settings import current
from bposite.plumbing.supervise import Child, Supervisor, stop_on_signals

BEAT_S = 5


def children(state_dir: Path) -> list[Child]:
    """The processes of a site, in the order in which they start."""
    names = ["broker"] * current().mqtt.embedded + ["listen", "cameras", "work", "web"]
    base = [sys.executable, "-m", "bposite", "--state-dir", str(state_dir)]
    return [Child(name, [*base, name]) for name in names]


@click.command()
@click.pass_obj
def run(state_dir: Path) -> None:
    """Run the whole site: broker (when embedded), listener, cameras, timers, web. Ctrl-C stops it cleanly."""
    app = wiring.open_site(state_dir)
    require_head()
    with app.app_context():
        supervisor = Supervisor(children(state_dir))
        click.echo(f"bposite runs at {current().web.address} (Ctrl-C stops it)")
        supervisor.run(stop_on_signals())
    close()


@click.command("broker")
@with_site
def run_broker() -> None:
    """Run the embedded MQTT broker (small sites and demonstrations)."""
    stop = stop_on_signals()
    _beat("broker", stop, "embedded")
    broker.serve(current().mqtt, current().state_dir, stop)


@click.command()
@with_site
def listen() -> None:
    """Run the listener: door events from the broker into the entry log, decisions and commands back."""
    listener.run(stop_on_signals(), watched=wiring.watched_doors)


@click.command()
@with_site
def cameras() -> None:
    """Run the cameras: rings of encoded video, and the pictures and clips of every entry."""
    cameras_worker.run(stop_on_signals())


@click.command()
@with_site
def work() -> None:
    """Run the timers: checkpoints, overstays, silence of devices, due dates, mail."""
    wiring.keep_time(stop_on_signals())


@click.command()
@click.pass_obj
def web(state_dir: Path) -> None:
    """Run the web server."""
    app = wiring.open_site(state_dir)
    require_head()
    settings = current().web
    stop = stop_on_signals()
    _beat("web", stop)
    server = create_server(
        app, host=settings.host, port=settings.port, threads=settings.threads, ident="", channel_timeout=60,
        connection_limit=settings.threads * 8, max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + 65536,
    )  # fmt: skip
    threading.Thread(target=_close_on, args=(stop, server), daemon=True).start()
    server.run()
    # open live streams hold threads that wait for the next event; they end with the process
    close()
    os._exit(0)


def _close_on(stop: threading.Event, server: BaseWSGIServer) -> None:
    stop.wait()
    server.close()


def _beat(name: str, stop: threading.Event, detail: str = "") -> None:
    def beating() -> None:
        while not stop.is_set():
            health.beat(name, "up", detail, every_s=BEAT_S)
            stop.wait(BEAT_S)

    threading.Thread(target=beating, name=f"beat-{name}", daemon=True).start()


commands = (run, run_broker, listen, cameras, work, web)
