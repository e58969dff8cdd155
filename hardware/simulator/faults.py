"""Everything that can be wrong with a camera, switchable while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

PICTURES = ("normal", "black", "covered", "frozen")
ANSWERS = ("normal", "dead", "refuse")


class FaultError(ValueError):
    """A fault that does not exist or has a value of the wrong kind; the message names it."""


@dataclass(frozen=True, slots=True)
class Faults:
    """One camera's faults. Times in seconds; the defaults are a faultless camera."""

    skew: float = field(default=0.0, metadata={"help": "the camera's clock is this many seconds ahead"})
    drift_ppm: float = field(default=0.0, metadata={"help": "the camera's clock gains this many millionths"})
    reports: bool = field(default=True, metadata={"help": "send RTCP sender reports"})
    first_report: float = field(default=0.0, metadata={"help": "the first report comes so long after PLAY"})
    report_every: float = field(default=5.0, metadata={"help": "distance of the reports after the first"})
    latency: float = field(default=0.0, metadata={"help": "each picture is sent so long after its capture"})
    jitter: float = field(default=0.0, metadata={"help": "and up to so much later at random, order kept"})
    burst: bool = field(default=False, metadata={"help": "a new viewer first gets all since the last keyframe"})
    loss: float = field(default=0.0, metadata={"help": "share of RTP packets lost on UDP, 0 to 1"})
    picture: str = field(default="normal", metadata={"help": "normal, black, covered or frozen"})
    every: int = field(default=1, metadata={"help": "only each n-th picture is made (wrong rate)"})
    answer: str = field(default="normal", metadata={"help": "normal, dead (accepts, never answers) or refuse"})

    def changed(self, changes: dict[str, Any]) -> Faults:
        """These faults with `changes` applied. Raises FaultError and changes nothing on a bad name or value."""
        known = {one.name: type(getattr(self, one.name)) for one in fields(self)}
        for name, value in changes.items():
            _check(name, value, known)
        return replace(self, **{name: known[name](value) for name, value in changes.items()})


def _check(name: str, value: Any, known: dict[str, type]) -> None:
    if name not in known:
        raise FaultError(f"there is no fault {name!r}; known are {', '.join(known)}")
    wanted = known[name]
    fits = isinstance(value, (int, float)) if wanted is float else isinstance(value, wanted)
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise FaultError(f"fault {name!r} takes a {wanted.__name__}, not {value!r}")
    choices = {"picture": PICTURES, "answer": ANSWERS}.get(name)
    if choices and value not in choices:
        raise FaultError(f"fault {name!r} is one of {', '.join(choices)}, not {value!r}")
    if name == "every" and value < 1:
        raise FaultError("fault 'every' is 1 or more")
