"""Messages of Twilio Media Streams, in JSON."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Union

_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
#: Most characters of a call's name.
_NAME = 100


class BadMessage(Exception):
    """What came is no message of Media Streams, or not one that can be served."""


@dataclass(frozen=True)
class Start:
    """The stream begins; `call` and `leg` are parameters of its TwiML."""

    stream: str
    call: str
    leg: int
    language: str
    voice: str


@dataclass(frozen=True)
class Media:
    """Mu-law, 8 kHz."""

    data: bytes


@dataclass(frozen=True)
class Dtmf:
    """A key was pressed."""

    digit: str


@dataclass(frozen=True)
class Mark:
    """What was sent before a mark has been played, or cleared."""

    name: str


@dataclass(frozen=True)
class Stop:
    """The stream ends."""


Message = Union[Start, Media, Dtmf, Mark, Stop]  # noqa: UP007 - Python 3.10 evaluates it


def decode(text: str | bytes) -> Message | None:
    """What a message says; None: nothing that concerns a call."""
    if isinstance(text, bytes):
        raise BadMessage("a message is not text")
    try:
        message = json.loads(text)
        return _message(message)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # Not with the message itself: it holds what is said.
        raise BadMessage(f"a message is not as it should be ({type(error).__name__})") from None


def _message(message: Any) -> Message | None:
    match message["event"]:
        case "media":
            return _media(message["media"])
        case "start":
            return _start(message["start"])
        case "dtmf":
            return Dtmf(str(message["dtmf"]["digit"]))
        case "mark":
            return Mark(str(message["mark"]["name"]))
        case "stop":
            return Stop()
        case _:
            return None


def _media(media: Any) -> Media | None:
    if media.get("track", "inbound") != "inbound":
        return None
    data = base64.b64decode(media["payload"], validate=True)
    if not data:
        raise BadMessage("a piece of audio is empty")
    return Media(data)


def _start(start: Any) -> Start:
    if start.get("mediaFormat", _FORMAT) != _FORMAT:
        raise BadMessage("the stream is not in mu-law at 8 kHz")
    parameters = start.get("customParameters") or {}
    call, leg = parameters.get("call"), parameters.get("leg")
    if not isinstance(call, str) or not call.isprintable() or not 0 < len(call) <= _NAME:
        raise BadMessage("the stream has no parameter 'call'; see README.md for the TwiML")
    if leg not in ("0", "1"):
        raise BadMessage("the stream's parameter 'leg' is neither 0 nor 1")
    language, voice = (str(parameters.get(name, "")) for name in ("language", "voice"))
    return Start(str(start["streamSid"]), call, int(leg), language, voice)


def media(stream: str, data: bytes) -> str:
    """Audio to play."""
    payload = base64.b64encode(data).decode("ascii")
    return json.dumps({"event": "media", "streamSid": stream, "media": {"payload": payload}})


def mark(stream: str, name: str) -> str:
    """Asks to be told when all before it has been played."""
    return json.dumps({"event": "mark", "streamSid": stream, "mark": {"name": name}})


def clear(stream: str) -> str:
    """Stops what has not been played yet."""
    return json.dumps({"event": "clear", "streamSid": stream})
