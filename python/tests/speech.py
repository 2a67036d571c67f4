"""The repository's recordings, as a client has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from interpretd_client.g711 import linear_to_mulaw

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "speech"
RATE = 16_000


def recording(name: str, seconds: float | None = None) -> bytes:
    """LINEAR16 at 16 kHz."""
    found, rate = soundfile.read(FOLDER / f"{name}.flac", dtype="int16")
    assert rate == RATE
    return bytes(found[: None if seconds is None else round(seconds * rate)].astype("<i2").tobytes())


def telephone(name: str) -> bytes:
    """LINEAR16 at 8 kHz."""
    wide = np.frombuffer(recording(name), "<i2").astype(np.float64)
    taps = np.arange(-40, 41)
    low = np.sinc(taps / 2 * 0.9) * np.hamming(len(taps))
    narrow = np.convolve(wide, low / low.sum(), mode="same")[::2]
    return bytes(np.clip(np.rint(narrow), -32768, 32767).astype("<i2").tobytes())


def frames(data: bytes, size: int) -> list[bytes]:
    """Whole pieces of `size` bytes."""
    return [data[start : start + size] for start in range(0, len(data) - size + 1, size)]


def mulaw_frames(name: str) -> list[bytes]:
    """20 ms of a telephone each."""
    return frames(linear_to_mulaw(telephone(name)), 160)


def loudness(data: bytes) -> float:
    """Root mean square of LINEAR16."""
    return float(np.sqrt(np.mean(np.frombuffer(data, "<i2").astype(np.float64) ** 2))) if data else 0.0
