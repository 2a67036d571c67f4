"""What one system did with one recording."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Word:
    """A committed word. Times are seconds since the recording began to play."""

    text: str
    end_s: float
    """When the word ends in the recording, by the system's own word times."""
    committed_at_s: float
    """When it was committed, by the wall clock."""

    @property
    def latency_s(self) -> float:
        """How far behind the speaker the word was committed."""
        return self.committed_at_s - self.end_s


@dataclass(frozen=True)
class Run:
    """One recording through one system."""

    system: str
    recording: str
    language: str
    audio_s: float
    text: str
    words: list[Word]
    recognition_cpu_s: float
    """Processor seconds, user and system, of all threads that recognise."""
    peak_bytes: int
    """The most memory the process has held so far."""
    more: dict[str, float] = field(default_factory=dict)
    """Figures that only this system has."""

    def to_json(self) -> dict[str, Any]:
        """The run as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Run":
        """The run that `to_json` gave."""
        return cls(**{**values, "words": [Word(**word) for word in values["words"]]})
