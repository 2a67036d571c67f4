"""`file`: streams one recording at the speed of speech, and prints the translation as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interpretd_client import eventlog, options
from interpretd_client.messages import (
    Notice,
    SessionConfig,
    SessionStarted,
    Target,
    TranslatedAudio,
    TranslatedText,
    linear16,
)

from . import recording

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

#: A piece of audio, as a live client sends it.
_PIECE = 0.1


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("file", help=__doc__, description=__doc__)
    parser.add_argument("recording", metavar="FILE.wav", help="WAV with 16-bit samples")
    parser.add_argument("--from", dest="source", required=True, metavar="LANG", help="spoken language")
    parser.add_argument("--to", required=True, metavar="LANG", help="language to interpret into")
    parser.add_argument("--output", metavar="FILE.wav", help="the translation's speech, without pauses")
    parser.add_argument("--events", metavar="FILE.jsonl", help="every event, with the time it came")
    parser.add_argument("--fast", action="store_true", help="as fast as the daemon takes it")
    options.add_mode(parser)
    options.add_daemon(parser)
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    found = recording.read(given.recording)
    config = SessionConfig(
        source_language=given.source,
        audio_format=linear16(found.rate, found.channels),
        targets=[Target(language=given.to, captions_only=given.output is None)],
        mode=options.MODES[given.mode],
        recorded=given.fast,
        resumable=not given.fast,
    )
    rate, speech = 0, bytearray()
    with eventlog.writing(given.events) as log:
        async with options.daemon_of(given) as daemon:
            async for event in daemon.interpret(config, _audio(found, log, fast=given.fast)):
                log.session(event)
                if isinstance(event, TranslatedText):
                    print(event.committed, end="\n" if event.sentence_complete else "", flush=True)
                elif isinstance(event, SessionStarted):
                    rate = event.targets[0].audio_format.sample_rate_hz
                elif isinstance(event, TranslatedAudio):
                    speech += event.data
                elif isinstance(event, Notice):
                    print(f"\n[{event.message}]", flush=True)
    if given.output:
        recording.write(given.output, rate, bytes(speech))


async def _audio(found: recording.Recording, log: eventlog.EventLog, *, fast: bool) -> AsyncIterator[bytes]:
    pieces = found.frames(_PIECE)
    async for count in recording.paced(0 if fast else _PIECE, log.begin):
        if count == len(pieces):
            return
        yield pieces[count]
