"""A state machine as one table that can be read, checked and drawn.

The machines of passes, media and visits are all of this shape, so that a
reader finds the same four questions answered in the same place: which states
there are, what moves one to another, why, and where nothing moves any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Move(Generic[S, E]):
    """One arrow: in `source`, `event` leads to `target`; `why` says what it stands for."""

    source: S
    event: E
    target: S
    why: str = ""


@dataclass(frozen=True)
class Machine(Generic[S, E]):
    """All arrows of one machine. Building it fails when two arrows contradict each other."""

    name: str
    start: S
    moves: tuple[Move[S, E], ...]

    def __post_init__(self) -> None:
        if len(self._table()) != len(self.moves):
            raise ValueError(f"{self.name}: two arrows for the same state and event")

    def _table(self) -> dict[tuple[S, E], S]:
        return {(move.source, move.event): move.target for move in self.moves}

    def after(self, state: S, event: E) -> S | None:
        """The state that `event` leads to from `state`, or None when that is not possible."""
        return self._table().get((state, event))

    def events(self, state: S) -> tuple[E, ...]:
        """What can happen in `state`, in the order of the table."""
        return tuple(move.event for move in self.moves if move.source is state)

    def states(self) -> tuple[S, ...]:
        """Every state of the machine, in the order of its enumeration."""
        return tuple(type(self.start))

    def final(self) -> frozenset[S]:
        """States that nothing leads out of."""
        return frozenset(self.states()) - {move.source for move in self.moves}

    def reachable(self) -> frozenset[S]:
        """States that can be reached from the start."""
        found = {self.start}
        while new := {m.target for m in self.moves if m.source in found} - found:
            found |= new
        return frozenset(found)

    def diagram(self) -> str:
        """The machine as a Mermaid state diagram, for the documentation and the screen."""
        return "\n".join(self._diagram_lines()) + "\n"

    def _diagram_lines(self) -> Iterator[str]:
        yield "stateDiagram-v2"
        yield f"    [*] --> {self.start}"
        for move in self.moves:
            yield f"    {move.source} --> {move.target}: {move.event}"
        for state in self.states():
            if state in self.final():
                yield f"    {state} --> [*]"
