"""The one thing to do next with a visit, so that every screen has one primary action."""

from __future__ import annotations

from enum import StrEnum

from bposite.visits.rules.machine import VisitState
from bposite.visits.rules.requirements import Missing

_S = VisitState


class NextStep(StrEnum):
    """What the desk does next."""

    CHECK_IN = "check_in"
    RELEASE_HOLD = "release_hold"
    WAIT_APPROVAL = "wait_approval"
    DOCUMENT = "document"
    EXTEND = "extend"
    ADMIT = "admit"
    PRINT = "print"
    CHECK_OUT = "check_out"
    COME_BACK = "come_back"
    FIND = "find"
    NOTHING = "nothing"


# What stops the check-in form from being any use until somebody has dealt with it, the gravest first.
_BLOCKING = (
    (Missing.HOLD, NextStep.RELEASE_HOLD),
    (Missing.APPROVAL, NextStep.WAIT_APPROVAL),
    (Missing.WINDOW_CLOSED, NextStep.EXTEND),
    (Missing.DOCUMENT, NextStep.DOCUMENT),
)


def next_step(state: VisitState, missing: tuple[Missing, ...], *, printable: bool) -> NextStep:
    """The next step of a visit. `missing`: what admission lacks; `printable`: a pass can be shown and has no label."""
    if state in (_S.APPROVED, _S.INVITED, _S.PREREGISTERED, _S.NO_SHOW):
        return NextStep.CHECK_IN
    if state is _S.REQUESTED:
        return NextStep.WAIT_APPROVAL
    if state in (_S.AT_DESK, _S.CLEARED):
        return next((step for lack, step in _BLOCKING if lack in missing), NextStep.ADMIT)
    if state is _S.ON_SITE:
        return NextStep.PRINT if printable else NextStep.CHECK_OUT
    return _LATER.get(state, NextStep.NOTHING)


_LATER = {
    _S.BREAK_OUT: NextStep.COME_BACK,
    _S.OVERSTAY: NextStep.CHECK_OUT,
    _S.UNACCOUNTED: NextStep.FIND,
    _S.PRESUMED_LEFT: NextStep.NOTHING,
}
