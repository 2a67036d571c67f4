"""`call`: streams a call from two recordings at the speed of speech, and keeps what each ear heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpretd_client import eventlog, options
from interpretd_client.g711 import linear_to_mulaw, mulaw_to_linear
from interpretd_client.messages import BargeIn, CallAudio, CallEvent, CallLeg, TranslatedText, event_of, mulaw
from interpretd_client.tasks import cancel_all

from . import recording

if TYPE_CHECKING:
    import argparse

    from interpretd_client.call import Call

_FRAME = 0.02
_FRAME_BYTES = 160
_SILENCE = b"\xff" * _FRAME_BYTES
_BARGE_IN = {"duck": BargeIn.BARGE_IN_DUCK, "stop": BargeIn.BARGE_IN_STOP}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("call", help=__doc__, description=__doc__)
    for leg in ("left", "right"):
        group = parser.add_argument_group(f"the {leg} leg")
        group.add_argument(f"--{leg}", required=True, metavar="FILE.wav", help="8 kHz, mono, 16 bit")
        group.add_argument(f"--{leg}-language", required=True, metavar="LANG", help="what is spoken there")
        group.add_argument(f"--{leg}-voice", default="", metavar="VOICE", help="that speaks there")
        group.add_argument(f"--{leg}-heard", metavar="FILE.wav", help="what is heard there")
    parser.add_argument("--events", metavar="FILE.jsonl", help="every event, with the time it came")
    parser.add_argument("--tail", type=float, default=10.0, metavar="SECONDS", help="silence at the end [10]")
    parser.add_argument(
        "--original", type=int, default=20, metavar="PERCENT", help="of the voice itself [20]"
    )
    parser.add_argument("--comfort-tone", action="store_true", help="while nothing is heard")
    parser.add_argument("--barge-in", choices=_BARGE_IN, default="duck", help="[default: duck]")
    options.add_mode(parser)
    options.add_daemon(parser)
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    said = [_telephone(given.left), _telephone(given.right)]
    legs = [
        CallLeg(
            language=language,
            voice=voice,
            audio_format=mulaw(),
            original_percent=given.original,
            comfort_tone=given.comfort_tone,
            barge_in=_BARGE_IN[given.barge_in],
            # Recordings do not hear what is played to their speakers.
            no_echo=True,
        )
        for language, voice in (
            (given.left_language, given.left_voice),
            (given.right_language, given.right_voice),
        )
    ]
    heard = [bytearray(), bytearray()]
    with eventlog.writing(given.events) as log:
        async with (
            options.daemon_of(given) as daemon,
            daemon.call(legs, mode=options.MODES[given.mode]) as call,
        ):
            speaking = asyncio.create_task(_speak(call, said, given.tail, log))
            try:
                await _hear(call, heard, log)
            finally:
                await cancel_all(speaking)
    for path, data in zip((given.left_heard, given.right_heard), heard, strict=True):
        if path:
            recording.write(path, 8000, mulaw_to_linear(bytes(data)))


def _telephone(path: str) -> list[bytes]:
    """20 ms frames of mu-law."""
    frames = recording.read_telephone(path).frames(_FRAME)
    return [linear_to_mulaw(frame).ljust(_FRAME_BYTES, _SILENCE[:1]) for frame in frames]


async def _speak(call: Call, said: list[list[bytes]], tail: float, log: eventlog.EventLog) -> None:
    # Both legs are sent for to the end: an ear hears as long as audio comes from its side.
    length = max(map(len, said)) + round(tail / _FRAME)
    async for count in recording.paced(_FRAME, log.begin):
        if count == length:
            break
        for leg, frames in enumerate(said):
            await call.send(leg, frames[count] if count < len(frames) else _SILENCE)
    await call.finish()


async def _hear(call: Call, heard: list[bytearray], log: eventlog.EventLog) -> None:
    async for message in call:
        log.call(message)
        if isinstance(message, CallAudio):
            heard[message.leg] += message.data
        elif isinstance(message, CallEvent):
            event = event_of(message.event)
            if isinstance(event, TranslatedText) and event.committed:
                print(f"{'left' if message.leg == 0 else 'right'}: {event.committed.strip()}", flush=True)
