"""What is known of a picture, in words for people. Times arrive in microseconds or milliseconds and leave as text."""

from bposite.cameras.rules.clock import TimeSource
from bposite.cameras.rules.frames import LinkState, NoVideo

STATES: dict[LinkState, str] = {
    LinkState.PENDING: "Waiting for the camera",
    LinkState.LINKED: "Picture of the moment",
    LinkState.LINKED_LATE: "Picture of the moment, linked later",
    LinkState.PARTIAL: "Incomplete video",
    LinkState.NO_VIDEO: "No video",
}

REASONS: dict[NoVideo, str] = {
    NoVideo.HOLE: "the stream has a hole at that moment",
    NoVideo.CAMERA_DOWN: "the camera was not sending",
    NoVideo.NEVER_SEEN: "the camera has never sent a picture",
    NoVideo.NOT_YET: "the camera was not being recorded yet",
    NoVideo.OVERWRITTEN: "the recording of that time was already overwritten",
    NoVideo.CLOCK_AHEAD: "the event says a time in the future",
    NoVideo.UNDECODABLE: "the recording of that moment is damaged",
    NoVideo.DISABLED: "the camera was switched off in the plan",
}

STATUS: dict[LinkState, str] = {
    LinkState.PENDING: "unknown",
    LinkState.LINKED: "good",
    LinkState.LINKED_LATE: "good",
    LinkState.PARTIAL: "attention",
    LinkState.NO_VIDEO: "refused",
}
"""Status colour of the interface for each state."""


def span(milliseconds: float) -> str:
    """A length of time as people say it: 34 ms, 2.4 s, 12 min, 3.5 h."""
    if milliseconds < 1000:
        return f"{round(milliseconds)} ms"
    seconds = milliseconds / 1000
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def how_sure(source: TimeSource, error_us: int, clock_bad: bool) -> str:
    """Who told the time of a picture and how far it can be off; the bound is rounded up."""
    bound = span(-(-error_us // 1000))
    if source is TimeSource.CAMERA:
        return f"the camera's own clock, within {bound}"
    why = "the camera's clock is wrong" if clock_bad else "the camera sends no clock"
    return f"time of arrival, within {bound} ({why})"


def what_is_missing(state: LinkState, reason: NoVideo | None, gap_ms: int) -> str:
    """Why there is no complete video; empty when there is."""
    if state is LinkState.NO_VIDEO:
        because = REASONS[reason] if reason else "nothing was recorded"
        return f"No picture: {because}."
    if state is LinkState.PARTIAL and reason is not None:
        return f"No picture of the moment: {REASONS[reason]}. The clip shows what there is."
    if state is LinkState.PARTIAL:
        return f"The clip lacks {span(gap_ms)}." if gap_ms else "There is no clip."
    return ""
