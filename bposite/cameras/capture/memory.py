"""The ring in memory: the last seconds of one camera, encoded, dropped by whole groups of pictures."""

from collections import deque
from threading import Lock

from bposite.cameras.capture.units import AccessUnit, Codec, Stretch, joined


class _Group:
    """One group of pictures: a keyframe and what depends on it."""

    __slots__ = ("codec", "session", "size", "units")

    def __init__(self, session: int, codec: Codec) -> None:
        self.session, self.codec = session, codec
        self.units: list[AccessUnit] = []
        self.size = 0


class MemoryRing:
    """Keeps at least `keep_us` microseconds of units by arrival, at most one group of pictures more.

    Written by the camera's thread, read by the linker's; a lock held for microseconds keeps them apart.
    """

    def __init__(self, keep_us: int) -> None:
        self._keep_us = keep_us
        self._groups: deque[_Group] = deque()
        self._lock = Lock()
        self._bytes = 0

    def add(self, session: int, codec: Codec, access: AccessUnit) -> None:
        """Append one unit; units before the first keyframe of a connection are dropped, as nobody can decode them."""
        with self._lock:
            last = self._groups[-1] if self._groups else None
            if access.unit.key or (last is not None and last.session != session):
                if not access.unit.key:
                    return
                last = _Group(session, codec)
                self._groups.append(last)
            if last is None:
                return
            last.units.append(access)
            last.size += access.unit.size
            self._bytes += access.unit.size
            self._trim(access.unit.arrival_us - self._keep_us)

    def _trim(self, horizon_us: int) -> None:
        while len(self._groups) > 1 and self._groups[1].units[0].unit.arrival_us <= horizon_us:
            self._bytes -= self._groups.popleft().size

    def read(self, start_us: int, end_us: int) -> list[Stretch]:
        """Groups that have units with an arrival within [start, end], in order, one stretch a connection."""
        with self._lock:
            wanted = [
                Stretch(group.session, group.codec, tuple(group.units))
                for group in self._groups
                if group.units[0].unit.arrival_us <= end_us and group.units[-1].unit.arrival_us >= start_us
            ]
        return joined(wanted)

    def last_key(self) -> Stretch | None:
        """The newest keyframe alone, for health and previews."""
        with self._lock:
            if not self._groups:
                return None
            group = self._groups[-1]
            return Stretch(group.session, group.codec, (group.units[0],))

    @property
    def span(self) -> tuple[int, int] | None:
        """Arrival of the oldest and of the newest unit, or None while empty."""
        with self._lock:
            if not self._groups:
                return None
            return self._groups[0].units[0].unit.arrival_us, self._groups[-1].units[-1].unit.arrival_us

    @property
    def size(self) -> int:
        """Bytes of video held."""
        return self._bytes
