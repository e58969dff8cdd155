"""Read models of what is happening now: the site screen, health and measures, the roll call."""

from bposite.live.queries.now import Lamp, Measures, lamps, measures, one_a_passage, overall, site_now
from bposite.live.queries.rollcall import Call, Member, Roll, calls, everybody_inside, open_call, roll

__all__ = [
    "Call",
    "Lamp",
    "Measures",
    "Member",
    "Roll",
    "calls",
    "everybody_inside",
    "lamps",
    "measures",
    "one_a_passage",
    "open_call",
    "overall",
    "roll",
    "site_now",
]
