r"""The draw: deterministic, without replacement, by stratum, and such that an outsider can make it again.

Everything is SHA-256 over lines of plain text, so that a shell and `sha256sum` are enough:

    commitment = SHA-256("nonce\n" nonce "\n")                                in the journal at planning
    seed       = SHA-256(plan "\n" period "\n" checkpoint "\n" nonce "\n")       at the draw
    ticket     = SHA-256(seed "\n" stratum "\n" place "\n")                      for every place of the frame
    second     = SHA-256(seed "\n" "double\n" stratum "\n" place "\n")           for every drawn place

with nonce, commitment, seed and tickets in lower-case hexadecimal. The places of a stratum in the order of their
tickets are its drawn order: the first n are drawn, the next ones replace what could not be reached. The drawn places
with the smallest `second` are looked at twice. The checkpoint is the last signed tree head of the journal at the draw
("<size> <root in base64>"): who keeps the nonce cannot choose it, and who signs cannot know the nonce.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Drawn:
    """One place of the drawn order of its stratum. `rank` counts from 0; `double`: looked at by a second auditor."""

    stratum: str
    place: str
    rank: int
    taken: bool
    double: bool


def commitment(nonce: str) -> str:
    """What the journal gets before the period: it fixes the nonce and does not show it."""
    return _lines("nonce", nonce)


def seed(plan: str, period: str, checkpoint: str, nonce: str) -> str:
    """The seed of one round, 64 hexadecimal characters; no part may contain a line break."""
    if any("\n" in part for part in (plan, period, checkpoint, nonce)):
        raise ValueError("a part of the seed has a line break")
    return _lines(plan, period, checkpoint, nonce)


def drawn_order(seed_hex: str, stratum: str, places: Iterable[str]) -> list[str]:
    """The places of one stratum in the order of their tickets: a random permutation that anyone can make again."""
    return sorted(set(places), key=lambda place: (_lines(seed_hex, stratum, place), place))


def draw(
    seed_hex: str, frame: Mapping[str, Collection[str]], sizes: Mapping[str, int], double_share: float
) -> list[Drawn]:
    """The drawn order of every stratum; `sizes` says how many of each are taken (never more than there are)."""
    order = {stratum: drawn_order(seed_hex, stratum, places) for stratum, places in sorted(frame.items())}
    taken = [(stratum, place) for stratum, places in order.items() for place in places[: sizes.get(stratum, 0)]]
    twice = set(second_looks(seed_hex, taken, double_share))
    return [
        Drawn(stratum, place, rank, rank < sizes.get(stratum, 0), (stratum, place) in twice)
        for stratum, places in order.items()
        for rank, place in enumerate(places)
    ]


def second_looks(seed_hex: str, taken: Sequence[tuple[str, str]], share: float) -> list[tuple[str, str]]:
    """Which of the drawn (stratum, place) a second auditor sees: `share` of them, rounded up."""
    ranked = sorted(taken, key=lambda pair: _lines(seed_hex, "double", *pair))
    return ranked[: ceil(round(share * len(taken), 9))]


def replacement(order: Sequence[str], used: Collection[str]) -> str | None:
    """The next place of the drawn order that was not used yet; None when the stratum is used up."""
    return next((place for place in order if place not in used), None)


def frame_digest(frame: Mapping[str, Collection[str]]) -> str:
    """SHA-256 over the sorted lines "<stratum> TAB <place>": fixes the frame before the draw."""
    lines = sorted(f"{stratum}\t{place}" for stratum, places in frame.items() for place in places)
    return _lines(*lines)


def _lines(*parts: str) -> str:
    return hashlib.sha256("".join(f"{part}\n" for part in parts).encode()).hexdigest()
