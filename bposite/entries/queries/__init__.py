"""Read models of the entry log: lines, names, free text, an entry in full, a visit's way."""

from bposite.cameras.queries import FrameInfo
from bposite.cameras.queries import frames_for as frames_of
from bposite.entries.queries.find import Found, understand
from bposite.entries.queries.lines import Line, Names, Who, lines, names, whos
from bposite.entries.queries.one import Around, Full, Step, around, full
from bposite.entries.queries.stills import Still
from bposite.entries.queries.views import View, saved_views
from bposite.entries.queries.way import Way, way_of_visit

__all__ = [
    "Around",
    "Found",
    "FrameInfo",
    "Full",
    "Line",
    "Names",
    "Step",
    "Still",
    "View",
    "Way",
    "Who",
    "around",
    "frames_of",
    "full",
    "lines",
    "names",
    "saved_views",
    "understand",
    "way_of_visit",
    "whos",
]
