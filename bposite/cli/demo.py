"""``bposite demo``: the whole system on embedded defaults with a simulated site, from nothing, with one command.

The simulator (``hardware/simulator``) is started as what it is: a building of its own that speaks MQTT, RTSP and HTTP.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click
import pyotp
from rich.console import Console
from rich.table import Table

from bposite import wiring
from bposite.cli import demo_history
from bposite.cli.processes import children
from bposite.cli.site import apply_plan, found
from bposite.doors.references import reference_key
from bposite.journal.work import Actor, unit_of_work
from bposite.people.actions import create_enrolled_user, create_token
from bposite.people.rules import NEVER_FOR_TOKENS, PERMISSIONS
from bposite.plumbing.broker import port_taken
from bposite.plumbing.db import close
from bposite.plumbing.errors import Refusal
from bposite.plumbing.logs import configure_logs
from bposite.plumbing.resources import root
from bposite.plumbing.settings import FILE_NAME, current
from bposite.plumbing.supervise import Child, Supervisor, stop_on_signals

SITE, NAME, ZONE = "pune-1", "Pune Contact Centre", "Asia/Kolkata"
ACCOUNTS = (
    ("reception", "Asha Kulkarni"),
    ("guard", "Vikram Shinde"),
    ("facilities", "Meera Nair"),
    ("auditor", "Jonas Weber"),
    ("administrator", "Priya Raman"),
)
READY_S = 120
DEMO_FILE = "demo.json"
COMMAND = "./run bposite --state-dir {state} code NAME"


@click.command()
@click.option(
    "--pace", default=1.0, show_default=True, type=click.FloatRange(0.1, 20), help="Speed of the simulated day."
)
@click.option("--no-simulator", is_flag=True, help="Start the system alone; nothing happens at the doors.")
@click.pass_obj
def demo(state_dir: Path, pace: float, no_simulator: bool) -> None:
    """Run the whole system with a simulated site, and print the address and a sign-in for each role."""
    say = Console(stderr=True)
    stop = stop_on_signals()
    began = time.monotonic()
    say.print("[bold]bposite[/bold] demonstration: a contact centre in Pune, simulated")
    known = prepare(state_dir, say)
    app = wiring.open_site(state_dir)
    configure_logs("warning")  # here is what a newcomer reads; every process writes its own log file
    with app.app_context():
        processes = children(state_dir)
        if not no_simulator:
            processes.append(_simulator(state_dir, pace))
        for process in processes:
            process.log = state_dir / "log" / f"{process.name}.log"
        supervisor = Supervisor(processes)
        watcher = threading.Thread(target=_announce, args=(say, state_dir, known, stop, began), daemon=True)
        watcher.start()
        supervisor.run(stop)
    close()
    say.print("Stopped. The state is kept in", str(state_dir), "and is used again next time.")


def prepare(state_dir: Path, say: Console) -> dict[str, Any]:
    """Everything up to the start of processes: site, ports, plan, accounts, token; what exists is used again."""
    known = _read(state_dir / DEMO_FILE)
    with say.status("Founding the site"):
        _write_settings(state_dir)
        found(state_dir, SITE, NAME, ZONE)
    say.print("  site founded" if not known else "  site found as it was left")
    known["rtsp_port"] = _free(known.get("rtsp_port", 8554))
    app = wiring.open_site(state_dir)
    with app.app_context(), say.status("Writing the site plan: zones, doors, people, cameras, desks"):
        apply_plan(root("hardware") / "simulator" / "site.yaml", {"rtsp_port": str(known["rtsp_port"])})
        say.print("  site plan written")
        if "users" not in known:
            known |= _accounts(say)
        settings = current()
        known |= {"url": settings.web.address, "site": settings.site.id, "mqtt": _mqtt()}
        _write(state_dir / DEMO_FILE, known)
        _write(state_dir / "simulator.json", _for_simulator(known))
    close()
    return known


def _write_settings(state_dir: Path) -> None:
    """The first start picks free ports, so that nothing on the machine has to be stopped or edited."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state_dir / FILE_NAME
    if path.exists():
        return
    web = int(os.environ.get("BPOSITE_WEB_PORT") or _free(8080))
    mqtt = int(os.environ.get("BPOSITE_MQTT_PORT") or _free(1883))
    lines = [
        f'checkpoint_seconds = 30\n[site]\nid = "{SITE}"\nname = "{NAME}"\nzone = "{ZONE}"',
        f"[web]\nport = {web}",
        f"[mqtt]\nport = {mqtt}",
        "[cameras]\ndisk_ring_mb = 128",
    ]
    path.write_text("\n\n".join(lines) + "\n", "utf-8")


def _free(port: int) -> int:
    if not port_taken("127.0.0.1", port):
        return port
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _accounts(say: Console) -> dict[str, Any]:
    users, actors = [], {}
    for role, display in ACCOUNTS:
        password, secret = "-".join(secrets.token_hex(3) for _ in range(3)), pyotp.random_base32()
        with unit_of_work(Actor.system("demo")) as work:
            user_id = create_enrolled_user(work, role, display, [role], password=password, totp_secret=secret)
        actors[role] = Actor("user", user_id, display, role)
        users.append({"name": role, "role": role, "password": password, "totp_secret": secret})
    with unit_of_work(Actor.system("demo")) as work:
        token = create_token(work, "demonstration", set(PERMISSIONS) - NEVER_FOR_TOKENS, days=90)
    with say.status("Writing a month of clean desk history"):
        say.print(f"  {demo_history.write(actors)} clean desk rounds written")
    return {"users": users, "api_token": token.secret}


def _mqtt() -> dict[str, Any]:
    mqtt = current().mqtt
    return {
        "host": mqtt.host, "port": mqtt.port, "username": mqtt.username,
        "password": mqtt.password.get_secret_value(), "tls": mqtt.tls,
    }  # fmt: skip


def _for_simulator(known: dict[str, Any]) -> dict[str, Any]:
    return known | {
        "state_dir": str(current().state_dir / "simulator"),
        "site_plan": str(root("hardware") / "simulator" / "site.yaml"),
        "ref_key": reference_key().hex(),
    }


def _simulator(state_dir: Path, pace: float) -> Child:
    program = root("hardware") / "simulator" / "run.py"
    config = state_dir / "simulator.json"
    return Child("simulator", [sys.executable, str(program), str(config), "--pace", str(pace)])


def _announce(say: Console, state_dir: Path, known: dict[str, Any], stop: threading.Event, began: float) -> None:
    """Wait for the web server, then print the address and the sign-ins once."""
    url = known["url"]
    with say.status("Starting broker, listener, cameras, timers and web server"):
        while not stop.is_set() and not _answers(url):
            if time.monotonic() - began > READY_S:
                say.print("[red]The web server does not answer yet; log/web.log in the state directory says why.[/red]")
                return
            stop.wait(0.3)
    if stop.is_set():
        return
    say.print(f"\nOpen [bold]{url}[/bold]\n")
    table = Table("name", "password", "authenticator secret", box=None, pad_edge=False)
    for user in known["users"]:
        table.add_row(user["name"], user["password"], user["totp_secret"])
    say.print(table, soft_wrap=True)
    code = pyotp.TOTP(known["users"][0]["totp_secret"]).now()
    say.print(f"\nThe authenticator's code for reception is {code} for this half minute; for a new one of any name:")
    say.print(f"  {COMMAND.format(state=state_dir)}")
    say.print(
        f"Ready after {time.monotonic() - began:.0f} s. As JSON: {state_dir / DEMO_FILE}. Ctrl-C stops everything."
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310 -- our own address
            return True
    except urllib.error.HTTPError:
        return True  # it answers: some part is not up yet, and the page says which
    except OSError:
        return False


@click.command()
@click.argument("name")
@click.pass_obj
def code(state_dir: Path, name: str) -> None:
    """Print the present authenticator code of a demonstration account."""
    for user in _read(state_dir / DEMO_FILE).get("users", []):
        if user["name"] == name:
            click.echo(pyotp.TOTP(user["totp_secret"]).now())
            return
    raise Refusal("no_demo_user", f"There is no demonstration account {name!r} in this state directory.")


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")


commands = (demo, code)
