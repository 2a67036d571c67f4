"""The event log: every response as one line of proto3 JSON, in the form that `interpret evaluate` reads.

Two fields are added: `receivedAtMs`, wall milliseconds since the first sample of audio was sent; and in
`translatedAudio`, `dataSamples`, how long `data` was. Audio itself is left out.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from google.protobuf.json_format import MessageToDict

from ._proto.interpreter_pb2 import (
    CallAudio,
    CallResponse,
    InterpretResponse,
    SessionStarted,
    TranslatedAudio,
)
from .messages import CallMessage, Event, frame_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message


@contextmanager
def writing(path: str | None) -> Iterator[EventLog]:
    """A log in the file at `path`; None: a log that is kept nowhere."""
    if path is None:
        yield EventLog(None)
        return
    with Path(path).open("w", encoding="utf-8") as file:
        yield EventLog(file)


class EventLog:
    """Writes lines to `file`; None: nowhere."""

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file
        self._begun: float | None = None
        self._frame_bytes: dict[str, int] = {}

    def begin(self) -> None:
        """The first sample of audio is being sent."""
        if self._begun is None:
            self._begun = time.monotonic()

    def session(self, event: Event) -> None:
        """An event of a session."""
        if isinstance(event, SessionStarted):
            self._frame_bytes = {t.language: frame_bytes(t.audio_format) for t in event.targets}
        fields: dict[str, Message] = {_field(InterpretResponse, event): event}
        line = MessageToDict(_without_audio(InterpretResponse(**fields)))  # type: ignore[arg-type]
        if isinstance(event, TranslatedAudio):
            frame = self._frame_bytes.get(event.language, 1)
            line["translatedAudio"]["dataSamples"] = len(event.data) // frame
        self._write(line)

    def call(self, message: CallMessage) -> None:
        """A message of a call. What ears hear is not logged: it comes all the time."""
        if isinstance(message, CallAudio):
            return
        fields: dict[str, Message] = {_field(CallResponse, message): message}
        self._write(MessageToDict(CallResponse(**fields)))  # type: ignore[arg-type]

    def _write(self, line: dict[str, object]) -> None:
        if self._file is None:
            return
        since = 0.0 if self._begun is None else time.monotonic() - self._begun
        line["receivedAtMs"] = round(since * 1000)
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _field(response: type[Message], message: Message) -> str:
    """The field of a response's oneof that holds such a message."""
    fields = response.DESCRIPTOR.oneofs_by_name["response"].fields
    return next(f.name for f in fields if f.message_type == message.DESCRIPTOR)


def _without_audio(response: InterpretResponse) -> InterpretResponse:
    if response.HasField("translated_audio"):
        response.translated_audio.ClearField("data")
    return response
