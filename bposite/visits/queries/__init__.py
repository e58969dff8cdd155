"""Read models of visits. What other features and the screens use is named here."""

from bposite.visits.queries.board import Card, Lane, ZoneRow, board, cards, search, zone_names, zones
from bposite.visits.queries.closing import Day, day_close
from bposite.visits.queries.listing import VisitRow, Wanted, visit_row, visit_rows
from bposite.visits.queries.page import StepRow, VisitPage, other_visits, photo_belongs, steps, visit_page
from bposite.visits.queries.standing import Judged, judged, load, pass_standing, standing_of_pass
from bposite.visits.queries.watching import WatchRow, watch_rows

__all__ = [
    "Card",
    "Day",
    "Judged",
    "Lane",
    "StepRow",
    "VisitPage",
    "VisitRow",
    "Wanted",
    "WatchRow",
    "ZoneRow",
    "board",
    "cards",
    "day_close",
    "judged",
    "load",
    "other_visits",
    "pass_standing",
    "photo_belongs",
    "search",
    "standing_of_pass",
    "steps",
    "visit_page",
    "visit_row",
    "visit_rows",
    "watch_rows",
    "zone_names",
    "zones",
]
