"""A believable day at the reception of the simulated site: for screens, pictures and measurements."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path

import time_machine
import yaml
from PIL import Image, ImageDraw

from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions as people
from bposite.visits import actions, photos
from bposite.visits.actions import IdentityKind, NewVisit
from bposite.visits.rules import Evidence

PLAN = Path(__file__).resolve().parents[2] / "hardware" / "simulator" / "site.yaml"
DESK = Actor("user", "01RECEPTION", "Lakshmi Iyer", "reception", "127.0.0.1")
MANAGER = Actor("user", "01FACILITIES", "Sunita Bhosale", "facilities", "127.0.0.1")

# name, company, host, zones, hours from now until it begins, hours it lasts, what became of it
GUESTS = [
    ("Rahul Mehta", "Tata Communications", "E-1008", (), 0.5, 2, "expected"),
    ("Claire Dubois", "Meridian Bank", "E-1003", ("ops-b",), 1, 4, "expected"),
    ("Oluwaseun Adeyemi-Richardson", "Northwind Retail", "E-1002", ("ops-a",), 1.5, 3, "expected"),
    ("Karan Malhotra", "Pinnacle Fire Safety", "E-1010", ("goods",), 2, 2, "requested"),
    ("Ingrid Sørensen", "Kantar", "E-1007", ("card-a",), 3, 1, "requested"),
    ("Vivek Anand", "", "E-1001", (), 4, 1, "expected"),
    ("محمد الفاروق", "شركة الخليج للأنظمة", "E-1008", (), -0.5, 3, "at_desk"),
    ("Neha Kapoor", "Deloitte", "E-1007", ("card-a",), -0.2, 2, "at_desk"),
    ("Tomasz Wiśniewski", "Cisco", "E-1008", (), -1, 4, "held"),
    ("Sneha Reddy", "Northwind Retail", "E-1002", ("ops-a",), -2, 5, "on_site"),
    ("Arjun Pillai", "Blue Star Cooling", "E-1010", (), -3, 5, "on_site"),
    ("Hannah Schmidt", "Meridian Bank", "E-1003", ("ops-b",), -1.5, 4, "on_site"),
    ("Manoj Tiwari", "Sodexo", "E-1010", (), -5, 4.5, "overstay"),
    ("Farah Khan", "JLL", "E-1010", (), -4, 2, "left"),
    ("Pradeep Kumar", "Airtel", "E-1008", (), -4.5, 3, "left"),
    ("सुनीता जोशी", "महावितरण", "E-1010", (), -5, 2, "left"),
]


def plan() -> dict[str, list[dict[str, object]]]:
    """The site plan of the simulated site."""
    read: dict[str, list[dict[str, object]]] = yaml.safe_load(PLAN.read_text("utf-8"))
    return read


def furnish() -> None:
    """People and zones of the simulated site."""
    with unit_of_work(Actor.system("plan")) as work:
        people.apply_plan(work, plan()["persons"])
        actions.apply_plan(work, plan()["zones"])


def face(seed: int) -> bytes:
    """A drawn portrait: head and shoulders in the colours of `seed`."""
    picture = Image.new("RGB", (640, 800), ((90 + seed * 37) % 90 + 150, (seed * 53) % 60 + 170, 210))
    draw = ImageDraw.Draw(picture)
    skin = ((224 - seed * 29 % 110), (180 - seed * 23 % 90), (150 - seed * 19 % 80))
    coat = ((seed * 71) % 140 + 30, (seed * 43) % 140 + 30, (seed * 31) % 150 + 40)
    draw.ellipse((60, 560, 580, 1100), fill=coat)
    draw.rectangle((270, 480, 370, 620), fill=skin)
    draw.ellipse((190, 180, 450, 540), fill=skin)
    draw.pieslice((170, 130, 470, 460), 180, 360, fill=(30 + seed * 11 % 60, 24, 20))
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


def fill(at: datetime) -> dict[str, str]:
    """The guests of the day around `at`; name -> visit."""
    return {guest[0]: _one(number, at, *guest) for number, guest in enumerate(GUESTS)}


def _one(
    number: int, at: datetime, name: str, company: str, host: str, zones: tuple[str, ...], begins: float, hours: float,
    end: str,
) -> str:  # fmt: skip
    hosts = {str(row["number"]): str(row["name"]) for row in plan()["persons"]}
    start = at + timedelta(hours=begins)
    new = NewVisit(
        name=name,
        company=company,
        email=f"guest{number}@example.com",
        host=host,
        host_name=hosts[host],
        window_from=start,
        window_until=start + timedelta(hours=hours),
        zones=zones,
        purpose=("Review", "Maintenance", "Audit", "Interview")[number % 4],
    )
    came = min(start + timedelta(minutes=3 + number), at)
    with time_machine.travel(came - timedelta(hours=1), tick=True), unit_of_work(DESK) as work:
        visit_id = actions.invite(work, new).visit_id
    if "card-a" in zones and end == "at_desk":
        with time_machine.travel(came - timedelta(minutes=30), tick=True), unit_of_work(MANAGER) as work:
            actions.decide(work, visit_id, approve=True)
    if end not in ("expected", "requested"):
        with time_machine.travel(came, tick=True):
            _comes(number, visit_id, end)
    if end == "left":
        with time_machine.travel(start + timedelta(hours=hours - 0.2), tick=True), unit_of_work(DESK) as work:
            actions.depart(work, visit_id, Evidence.DESK_SCAN)
    return visit_id


def _comes(number: int, visit_id: str, end: str) -> None:
    with unit_of_work(DESK) as work:
        actions.arrive(work, visit_id)
        if number % 4 != 2:
            actions.set_photo(work, visit_id, photos.store(face(number)))
        if end == "held":
            actions.check_identity(work, visit_id, IdentityKind.PASSPORT, matches=False)
        if end in ("on_site", "overstay", "left"):
            actions.check_identity(work, visit_id, IdentityKind.NATIONAL_ID, matches=True)
            actions.acknowledge(work, visit_id, "told by phone")
            actions.name_escort(work, visit_id, "E-1003", "Grace Wanjiru")
            actions.admit(work, visit_id)
