"""How a recording is played to a recogniser."""

from enum import StrEnum


class Pace(StrEnum):
    """Who waits for whom."""

    LIVE = "live"
    """At the speed of speech: what computing costs is part of the latency."""
    UNPACED = "unpaced"
    """The speaker waits for each round: latency counts the sound waited for, not the computing."""
    OFFLINE = "offline"
    """All at once."""
