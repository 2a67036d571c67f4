"""The commands, as they are called."""

from __future__ import annotations

import argparse
import json
import math
import wave
from array import array
from typing import TYPE_CHECKING, Any

from fake_daemon import FakeDaemon, serving

from interpretd_client import g711
from interpretd_client.__main__ import main
from interpretd_client._proto import interpreter_pb2 as pb
from interpretd_client.commands import call, file, recording
from interpretd_client.eventlog import EventLog

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FR_EN = ("--from", "fr", "--to", "en")


def tone(path: Path, seconds: float, rate: int = 8000) -> str:
    wanted = array("h", (round(9000 * math.sin(i / 5)) for i in range(round(seconds * rate))))
    recording.write(str(path), rate, wanted.tobytes())
    return str(path)


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def run(command: Any, *arguments: str) -> None:
    parser = argparse.ArgumentParser()
    command.add_to(parser.add_subparsers(required=True))
    options = parser.parse_args([command.__name__.rpartition(".")[2], *arguments])
    await options.run(options)


async def test_a_call_of_two_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    daemon = FakeDaemon()
    said = pb.InterpretResponse(translated_text=pb.TranslatedText(language="en", committed=" Hello"))
    daemon.call_events.put_nowait(pb.CallResponse(event=pb.CallEvent(leg=0, event=said)))
    left, right = tone(tmp_path / "l.wav", 0.31), tone(tmp_path / "r.wav", 0.15)
    async with serving(daemon) as address:
        await run(
            call,
            *("--left", left, "--left-language", "fr", "--left-heard", f"{tmp_path}/lh.wav"),
            *("--right", right, "--right-language", "en", "--right-heard", f"{tmp_path}/rh.wav"),
            *("--events", f"{tmp_path}/e.jsonl", "--tail", "0.1", "--daemon", address, "--barge-in", "stop"),
        )
    # 16 frames of the longer side, and 5 of silence.
    assert [len(leg) for leg in daemon.call_audio] == [21, 21]
    assert all(len(frame) == 160 for leg in daemon.call_audio for frame in leg)
    assert set(daemon.call_audio[1][-1]) == {0xFF}
    with wave.open(f"{tmp_path}/rh.wav") as heard:
        assert (heard.getframerate(), heard.getnchannels(), heard.getnframes()) == (8000, 1, 21 * 160)
        data = heard.readframes(160)
    assert data == g711.mulaw_to_linear(daemon.call_audio[0][0])
    log = events(tmp_path / "e.jsonl")
    assert [next(iter(line)) for line in log] == ["started", "event", "ended"]
    assert all(isinstance(line["receivedAtMs"], int) for line in log)
    assert log[-1]["receivedAtMs"] >= 20 * 20, "audio went faster than speech"
    assert "left: Hello" in capsys.readouterr().out
    assert daemon.calls[0].legs[0].barge_in == pb.BARGE_IN_STOP


async def test_a_recording(tmp_path: Path) -> None:
    daemon = FakeDaemon()
    source = tone(tmp_path / "x.wav", 0.45, rate=16000)
    async with serving(daemon) as address:
        await run(file, source, *FR_EN, "--daemon", address, "--events", f"{tmp_path}/e.jsonl")
    assert daemon.latest is not None
    assert b"".join(daemon.latest.chunks) == recording.read(source).data
    assert daemon.latest.config.audio_format.sample_rate_hz == 16000
    log = events(tmp_path / "e.jsonl")
    assert "sessionStarted" in log[0]
    assert "sessionEnded" in log[-1]
    assert log[-1]["receivedAtMs"] >= 400


def test_log_lines_hold_lengths_instead_of_audio(tmp_path: Path) -> None:
    with (tmp_path / "e.jsonl").open("w") as out:
        log = EventLog(out)
        target = pb.Target(language="en", audio_format=pb.AudioFormat(encoding=pb.AUDIO_ENCODING_LINEAR16))
        log.session(pb.SessionStarted(targets=[target]))
        log.session(pb.TranslatedAudio(language="en", data=bytes(6), text=" Hé"))
        log.call(pb.CallAudio(data=bytes(160)))
    line = events(tmp_path / "e.jsonl")[1]
    assert line == {
        "translatedAudio": {"language": "en", "text": " Hé", "dataSamples": 3},
        "receivedAtMs": 0,
    }
    assert len(events(tmp_path / "e.jsonl")) == 2


def test_exit_codes_and_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stereo = tone(tmp_path / "x.wav", 0.1, rate=16000)
    legs = ["--left", stereo, "--left-language", "fr", "--right", stereo, "--right-language", "en"]
    assert main(["call", *legs]) == 2
    assert "ffmpeg -i" in capsys.readouterr().err
    assert main(["file", stereo, *FR_EN, "--daemon", "127.0.0.1:1"]) == 10
    assert main(["file", str(tmp_path / "none.wav"), *FR_EN]) == 1
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    assert main(["file", str(tmp_path / "bad.wav"), *FR_EN]) == 2
