"""The protocol's messages, and what a program gets to see of a stream of them.

The messages are the generated ones; proto/interpret/v1/interpreter.proto says what each field means.
"""

from __future__ import annotations

from typing import cast

from ._proto.interpreter_pb2 import (
    AudioEncoding,
    AudioFormat,
    BargeIn,
    CallAudio,
    CallEnded,
    CallEvent,
    CallLeg,
    CallResponse,
    CallStarted,
    Dtmf,
    EndReason,
    Gender,
    GetCapacityResponse,
    GlossaryTerm,
    Heartbeat,
    InterpretResponse,
    LanguagePair,
    Mode,
    Notice,
    NoticeKind,
    Pace,
    Resumed,
    SessionChanged,
    SessionConfig,
    SessionEnded,
    SessionStarted,
    SourceText,
    Speech,
    SpeechBoundary,
    StageReport,
    Target,
    TermOutcome,
    TranslatedAudio,
    TranslatedText,
    Voice,
    Word,
)

#: What a session or a room says.
Event = (
    SessionStarted
    | Speech
    | SourceText
    | TranslatedText
    | TranslatedAudio
    | Notice
    | Heartbeat
    | SessionEnded
    | Pace
    | SessionChanged
    | Resumed
)
#: What a call says.
CallMessage = CallStarted | CallAudio | CallEvent | Dtmf | CallEnded


def event_of(response: InterpretResponse) -> Event | None:
    """The event in a response, also in that of a CallEvent; None: one that this client does not know."""
    kind = response.WhichOneof("response")
    return None if kind is None else cast("Event", getattr(response, kind))


def message_of(response: CallResponse) -> CallMessage | None:
    """The message in a call's response; None: one that this client does not know."""
    kind = response.WhichOneof("response")
    return None if kind is None else cast("CallMessage", getattr(response, kind))


def linear16(sample_rate_hz: int, channels: int = 1) -> AudioFormat:
    """Signed 16-bit little-endian samples."""
    return AudioFormat(
        encoding=AudioEncoding.AUDIO_ENCODING_LINEAR16,
        sample_rate_hz=sample_rate_hz,
        channels=channels,
    )


def mulaw(sample_rate_hz: int = 8000) -> AudioFormat:
    """G.711 mu-law, as telephony in North America and Japan has it."""
    encoding = AudioEncoding.AUDIO_ENCODING_MULAW
    return AudioFormat(encoding=encoding, sample_rate_hz=sample_rate_hz, channels=1)


def alaw(sample_rate_hz: int = 8000) -> AudioFormat:
    """G.711 A-law, as telephony elsewhere has it."""
    encoding = AudioEncoding.AUDIO_ENCODING_ALAW
    return AudioFormat(encoding=encoding, sample_rate_hz=sample_rate_hz, channels=1)


_SAMPLE_BYTES = {
    AudioEncoding.AUDIO_ENCODING_LINEAR16: 2,
    AudioEncoding.AUDIO_ENCODING_F32: 4,
}


def frame_bytes(audio_format: AudioFormat) -> int:
    """Bytes of one sample of all channels; 1 for packets."""
    return _SAMPLE_BYTES.get(audio_format.encoding, 1) * max(audio_format.channels, 1)


__all__ = [
    "AudioEncoding",
    "AudioFormat",
    "BargeIn",
    "CallAudio",
    "CallEnded",
    "CallEvent",
    "CallLeg",
    "CallMessage",
    "CallResponse",
    "CallStarted",
    "Dtmf",
    "EndReason",
    "Event",
    "Gender",
    "GetCapacityResponse",
    "GlossaryTerm",
    "Heartbeat",
    "InterpretResponse",
    "LanguagePair",
    "Mode",
    "Notice",
    "NoticeKind",
    "Pace",
    "Resumed",
    "SessionChanged",
    "SessionConfig",
    "SessionEnded",
    "SessionStarted",
    "SourceText",
    "Speech",
    "SpeechBoundary",
    "StageReport",
    "Target",
    "TermOutcome",
    "TranslatedAudio",
    "TranslatedText",
    "Voice",
    "Word",
    "alaw",
    "event_of",
    "frame_bytes",
    "linear16",
    "message_of",
    "mulaw",
]
