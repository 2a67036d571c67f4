"""A leg's audio runs as time does."""

from __future__ import annotations

#: So long a frame may be late before silence is put in its place.
PATIENCE = 0.1
#: So far a leg's audio may be ahead of time: what was late and comes all at once.
AHEAD = 0.5
#: A longer hole is not filled, but forgotten.
_HOLE = 1.0


class Cadence:
    """Tells when silence must stand in for a leg that sends nothing, and when it sends too much.

    An ear hears a piece for every piece that comes from its leg. A telephone that sends nothing while
    nobody speaks would hear nothing; one that sends faster than time would hear ever later.
    """

    def __init__(self, now: float) -> None:
        self._start = now
        self._given = 0.0

    def due_in(self, now: float) -> float:
        """Seconds until silence must stand in; negative: it should have."""
        behind = now - self._start - self._given
        if behind > _HOLE:
            self._start += behind - PATIENCE
            return 0.0
        return PATIENCE - behind

    def admit(self, now: float, seconds: float) -> bool:
        """Counts audio of that length; False: it is too far ahead of time, and is to be dropped."""
        if self._start + self._given + seconds > now + AHEAD:
            return False
        self._given += seconds
        return True
