"""LocalAgreement-2 as WhisperLiveKit has it, on faster-whisper.

The policy (Machacek, Dabre, Bojar 2023, "Turning Whisper into Real-Time Transcription System";
ufal/whisper_streaming) is WhisperLiveKit's own code, unchanged. What is ours is the adapter that
runs faster-whisper for it: WhisperLiveKit's own imports torch and has no setting for the number of
threads and the type of weights. Its arguments are those of both projects.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.transcribe import Segment
from numpy.typing import NDArray

Audio = NDArray[np.float32]


def _import_part(name: str) -> Any:
    """Imports a module of WhisperLiveKit without its `__init__`, which imports the web server."""
    package = "whisperlivekit"
    if package not in sys.modules:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError(f"{package} is not installed; remove bench/peers-venv and run again")
        bare = ModuleType(package)
        bare.__path__ = list(spec.submodule_search_locations)
        sys.modules[package] = bare
    return import_module(f"{package}.{name}")


class FasterWhisper:
    """What WhisperLiveKit's `OnlineASRProcessor` asks of a recogniser."""

    # The defaults of both projects: cut at a committed segment once the buffer holds 15 s.
    sep = ""
    tokenizer = None
    confidence_validation = False
    buffer_trimming = "segment"
    buffer_trimming_sec = 15.0

    def __init__(self, folder: Path, threads: int, beam: int, vad: bool) -> None:
        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
        self._beam = beam
        self._vad = vad
        self._token = _import_part("timed_objects").ASRToken
        self.language = "en"

    def transcribe(self, audio: Audio, init_prompt: str = "") -> list[Segment]:
        """Recognises the whole buffer."""
        segments, _ = self._model.transcribe(
            audio,
            language=self.language,
            initial_prompt=init_prompt,
            beam_size=self._beam,
            word_timestamps=True,
            condition_on_previous_text=True,
            vad_filter=self._vad,
        )
        return list(segments)

    def ts_words(self, segments: list[Segment]) -> list[Any]:
        """The words with their times."""
        return [
            self._token(word.start, word.end, word.word, probability=word.probability)
            for segment in segments
            if segment.no_speech_prob <= 0.9
            for word in segment.words or []
        ]

    def segments_end_ts(self, segments: list[Segment]) -> list[float]:
        """Where the segments end."""
        return [segment.end for segment in segments]


def online_processor(recogniser: FasterWhisper) -> Any:
    """A fresh `OnlineASRProcessor`: one stream."""
    return _import_part("local_agreement.online_asr").OnlineASRProcessor(recogniser)
