"""A month of clean desk history for the demonstration, through the ordinary actions with a simulated clock.

Every round is planned, committed, drawn, walked, submitted and reviewed by the accounts of the demonstration; only the
moment at which each unit of work happens is set back. Nothing writes a row by itself.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from PIL import Image, ImageDraw

from bposite.cleandesk import actions, queries
from bposite.cleandesk.actions import NewPlan, NewRound
from bposite.cleandesk.queries import FindingNow, StopRow, Wanted
from bposite.cleandesk.wire import FoundItem, Look, TakenPhoto
from bposite.doors.actions import close_alarm
from bposite.doors.queries import alarms
from bposite.journal.actions import checkpoint
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.ids import new_id

WEEKS = 5
LEADS = {"Northwind Retail": "E-1005", "Meridian Bank": "E-1006", "": "E-1010"}
FLOORS, CARD, PRINT = "Operations floors", "Card room", "Printers and bins"
COMMON = ("C01", "S05", "P05", "S01", "D09", "P03", "K04", "S04", "K02", "P01", "B01", "B03", "D03", "D01")
"""Faults of the demonstration, the most likely first."""


@dataclass(frozen=True, slots=True)
class Walkers:
    """The accounts that act: who plans and mends, who walks, who looks a second time and verifies."""

    planner: Actor
    auditor: Actor
    second: Actor


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the programme, and how its walks go: share of desks with a fault at the beginning and at the end."""

    plan: NewPlan
    size: int
    weekday: int
    hour: int
    faults: tuple[float, float]


def _line(
    name: str, zones: str, kinds: str, moment: str, size: int, day: tuple[int, int], faults: tuple[float, float]
) -> Line:
    target, fails = (0.90, 1) if name == PRINT else (0.95, 2 if name == FLOORS else 0)
    plan = NewPlan(
        f"{name}, weekly",
        tuple(zones.split()),
        tuple(kinds.split()),
        ("day",),
        (moment,),
        "weekly",
        target,
        target,
        fails,
    )
    return Line(plan, size, *day, faults)


LINES = (
    _line(FLOORS, "ops-a ops-b", "desk", "after_hours", 26, (1, 21), (0.13, 0.03)),
    _line(CARD, "card-a", "desk", "live", 6, (2, 11), (0.12, 0.04)),
    _line(PRINT, "ops-a ops-b card-a lobby", "printer bin", "after_hours", 7, (3, 21), (0.15, 0.1)),
)


def write(users: Mapping[str, Actor]) -> int:
    """Write the history for the accounts by role; returns the number of rounds. The journal must be young."""
    who = Walkers(users["facilities"], users["guard"], users["administrator"])
    chance = random.Random(20261123)
    monday = local(now()).replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday() + 7 * WEEKS)
    plans = _plans(who, monday)
    count = 0
    for week in range(WEEKS + 1):
        for line, plan in zip(LINES, plans, strict=True):
            at = (monday + timedelta(days=7 * week + line.weekday, hours=line.hour)).astimezone(site_zone())
            if at > now() - timedelta(hours=5):
                continue
            _round(who, line, plan, at, week / WEEKS, chance)
            count += 1
    _last_night(who, chance)
    _today(who)
    checkpoint()
    return count + 2


def _plans(who: Walkers, monday: datetime) -> list[str]:
    with _at(who.planner, monday + timedelta(hours=9)) as work:
        return [actions.save_plan(work, line.plan) for line in LINES]


@contextmanager
def _at(actor: Actor, moment: datetime) -> Iterator[Work]:
    """A unit of work of somebody at a moment of the past."""
    with unit_of_work(actor) as work:
        work.now = moment
        yield work


def _round(who: Walkers, line: Line, plan: str, at: datetime, progress: float, chance: random.Random) -> None:
    checkpoint()
    wanted = NewRound(
        name=line.plan.name.removesuffix(", weekly"), purpose="random", zones=line.plan.zones, kinds=line.plan.kinds,
        shift="day", moment=line.plan.moments[0], size=line.size, planned_for=at, auditor=who.auditor.id,
        second=who.second.id, plan=plan,
    )  # fmt: skip
    with _at(who.planner, at - timedelta(days=2, hours=3)) as work:
        round_id = actions.plan_round(work, wanted)
    with _at(who.auditor, at) as work:
        actions.start_round(work, round_id)
    begin, end = line.faults
    _walk(who, round_id, at, begin + (end - begin) * progress, chance, {})
    done = at + timedelta(minutes=50)
    with _at(who.auditor, done) as work:
        actions.submit_round(work, round_id)
    recent = at > now() - timedelta(days=5)
    if not recent or line is LINES[0]:
        with _at(who.planner, done + timedelta(hours=2)) as work:
            actions.review_round(work, round_id, "Looked through answers and pictures.")
    _follow_up(who, round_id, done + timedelta(hours=3), recent, chance)


def _walk(
    who: Walkers, round_id: str, at: datetime, rate: float, chance: random.Random, certain: Mapping[int, str]
) -> None:
    """Every place is seen; ``certain``: number of the stop -> the fault that is found there for sure."""
    with reading() as session:
        row, stops = queries.round_of(session, round_id), queries.stops(session, round_id)
    assert row is not None
    first: dict[str, tuple[FoundItem, ...]] = {}
    with _at(who.auditor, at) as work:
        for number, stop in enumerate(stops):
            work.now += timedelta(seconds=chance.randint(35, 95))
            look, sent = _look(stop, row.moment, rate, work.now, chance, certain.get(number))
            actions.observe(work, round_id, look, sent, actions.keep_photos(look, sent))
            first[stop.place] = look.items
    with _at(who.second, at + timedelta(minutes=4)) as work:
        for stop in (one for one in stops if one.double):
            # Two people agree nearly always; what they disagree about is what kappa is for.
            items = first[stop.place] if chance.random() < 0.95 else ()
            look = Look(new_id(), stop.place, "fail" if items else "pass", work.now, seat="second", items=items)
            actions.observe(work, round_id, look, {}, {})


def _look(
    stop: StopRow, moment: str, rate: float, at: datetime, chance: random.Random, certain: str | None
) -> tuple[Look, dict[str, bytes]]:
    if certain is None and chance.random() < 0.02:
        reason = chance.choice(["in_use_confidential", "locked"])
        return Look(new_id(), stop.place, "not_observed", at, reason=reason), {}
    known = {item.id: item for item in queries.in_force().items_for(stop.zone_type, stop.kind, moment)}
    likely = [item for item in COMMON if item in known]
    if certain is None and (not likely or chance.random() > rate):
        return Look(new_id(), stop.place, "pass", at), {}
    item = known[certain or likely[min(int(chance.expovariate(0.45)), len(likely) - 1)]]
    found = FoundItem(item.id, secured=item.severity == "S1")
    if item.photo == "none" or chance.random() < 0.5:
        return Look(new_id(), stop.place, "fail", at, items=(found,)), {}
    photo = TakenPhoto(new_id(), item.id, masks=2)
    look = Look(new_id(), stop.place, "fail", at, items=(found,), photos=(photo,))
    return look, {photo.id: _picture(stop.place, chance)}


def _picture(place: str, chance: random.Random) -> bytes:
    """A drawn desk with papers, covered as an auditor covers them: no photograph of anybody's desk is needed."""
    picture = Image.new("RGB", (960, 720), (196, 202, 210))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 430, 960, 720), fill=(168, 132, 96))
    draw.rectangle((300, 120, 690, 360), fill=(38, 42, 50))
    draw.rectangle((315, 135, 675, 345), fill=(58, 84, 132))
    draw.polygon([(470, 360), (520, 360), (540, 440), (450, 440)], fill=(70, 74, 80))
    draw.rectangle((330, 470, 640, 530), fill=(60, 62, 66))
    for _ in range(chance.randint(2, 4)):
        x, y = chance.randint(40, 700), chance.randint(470, 600)
        draw.rectangle((x, y, x + 190, y + 100), fill=(246, 246, 240), outline=(150, 150, 150))
        draw.rectangle((x + 14, y + 18, x + 170, y + 76), fill=(0, 0, 0))
    draw.text((24, 20), place, fill=(60, 64, 70))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def _follow_up(who: Walkers, round_id: str, at: datetime, recent: bool, chance: random.Random) -> None:
    with reading() as session:
        found = queries.findings(session, Wanted(round_id=round_id), at)
        critical = [row.id for row in alarms(session) if row.kind == "cleanDeskCritical"]
    for alarm in critical:
        with _at(who.auditor, at) as work:
            close_alarm(work, alarm, "Secured on the spot by the auditor, team lead informed.")
    for finding in found:
        _mend(who, finding, at, recent, chance)


def _mend(who: Walkers, finding: FindingNow, at: datetime, recent: bool, chance: random.Random) -> None:
    """Most findings are mended and verified in time; the newest are somewhere on the way."""
    luck = chance.random()
    owner = LEADS.get(finding.client, LEADS[""])
    if recent and luck < 0.35:
        return
    if luck > 0.94:
        _disputed(who, finding, at, recent)
        return
    _do(
        who.planner,
        at,
        lambda work: actions.propose(work, finding.id, _what(finding), owner, work.now + timedelta(days=1)),
    )
    if recent and luck < 0.6:
        return
    proof = "Desk is clear, seen this morning with the team lead."
    _do(who.planner, at + timedelta(hours=12), lambda work: actions.claim_done(work, finding.id, proof))
    if not (recent and luck < 0.8):
        moment = at + timedelta(hours=15)
        _do(who.second, moment, lambda work: actions.verify(work, finding.id, "Looked myself.", mended=True))


def _disputed(who: Walkers, finding: FindingNow, at: datetime, recent: bool) -> None:
    reason = "The paper was an empty form without any data."
    _do(who.planner, at, lambda work: actions.dispute(work, finding.id, reason))
    if not recent:
        words = "The picture shows an empty form: withdrawn."
        _do(who.second, at + timedelta(hours=20), lambda w: actions.decide_dispute(w, finding.id, words, stands=False))


def _do(actor: Actor, at: datetime, act: Callable[[Work], None]) -> None:
    if at < now():
        with _at(actor, at) as work:
            act(work)


def _what(finding: FindingNow) -> str:
    return f"Brief {finding.team or 'the team'} and check the desk at the end of the next shift"


def _last_night(who: Walkers, chance: random.Random) -> None:
    """A walk of the night, submitted and not yet reviewed: its findings are on the board."""
    at = now() - timedelta(hours=9)
    with _at(who.planner, at - timedelta(hours=5)) as work:
        round_id = actions.plan_round(work, _extra(who, f"{FLOORS}, night sweep", at, 14))
    with _at(who.auditor, at) as work:
        actions.start_round(work, round_id)
    _walk(who, round_id, at, 0.0, chance, {2: "C01", 5: "S01", 8: "P05", 11: "K04"})
    with _at(who.auditor, at + timedelta(minutes=30)) as work:
        actions.submit_round(work, round_id)
    with reading() as session:
        found = {row.item_id: row for row in queries.findings(session, Wanted(round_id=round_id), now())}
    later = at + timedelta(hours=2)
    paper, keys, screen = found["P05"], found["K04"], found["S01"]
    _do(who.auditor, later, lambda work: actions.acknowledge(work, screen.id))
    due = now() + timedelta(hours=9)
    _do(who.planner, later, lambda work: actions.propose(work, paper.id, _what(paper), LEADS[paper.client], due))
    _do(who.planner, later, lambda work: actions.claim_done(work, keys.id, "Keys are back in the key safe, logged."))


def _today(who: Walkers) -> None:
    """A walk that waits for whoever tries the demonstration."""
    with unit_of_work(who.planner) as work:
        actions.plan_round(work, _extra(who, f"{FLOORS}, today", now() + timedelta(minutes=30), 12))


def _extra(who: Walkers, name: str, at: datetime, size: int) -> NewRound:
    return NewRound(
        name=name, purpose="random", zones=("ops-a", "ops-b"), kinds=("desk",), shift="day", moment="after_hours",
        size=size, planned_for=at, auditor=who.auditor.id, second=who.second.id,
    )  # fmt: skip
