"""How much of what was sent to a telephone still waits to be played."""

from __future__ import annotations

#: Frames between two marks: 1 s.
EVERY = 50
#: Marks that may wait. The stream plays as fast as it is sent to, so that more means that it stood still.
_MOST = 3


class Marks:
    """Marks go out among the audio, and come back when they were played."""

    def __init__(self) -> None:
        self._frames = 0
        self._sent = 0
        self._played = 0
        self._round = 0
        # Some servers of this protocol never give marks back.
        self._trusted = False

    def after_frame(self) -> str | None:
        """The name of a mark to send now."""
        self._frames += 1
        if self._frames % EVERY:
            return None
        self._sent += 1
        return f"{self._round}.{self._sent}"

    def played(self, name: str) -> None:
        """A mark has come back."""
        self._trusted = True
        number, _, count = name.partition(".")
        if number == str(self._round) and count.isdecimal():
            self._played = max(self._played, int(count))

    @property
    def waiting(self) -> int:
        """Frames that wait to be played, too many of them; 0: all is well."""
        behind = self._sent - self._played
        return behind * EVERY if self._trusted and behind > _MOST else 0

    def cleared(self) -> None:
        """What was not played will not be."""
        self._round += 1
        self._frames = self._sent = self._played = 0
