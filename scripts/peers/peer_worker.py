"""The process that runs a peer: reads jobs, one line of JSON each, and answers each with a line.

A job is {"recording": ..., "language": ..., "pace": ...} with a pace of pace.py; the answer is a run
(runs.py). The model is loaded and warmed up before the first job, as a daemon's is.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from time import monotonic, process_time, sleep

import numpy as np
from faster_whisper.audio import decode_audio

from local_agreement import Audio, FasterWhisper, online_processor
from pace import Pace
from process_figures import peak_bytes
from runs import Run, Word

RATE = 16_000
MIN_CHUNK_S = 1.0


def main() -> None:
    """Answers jobs until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--beam", type=int, required=True)
    parser.add_argument("--vad", action="store_true")
    arguments = parser.parse_args()

    recogniser = FasterWhisper(arguments.model, arguments.threads, arguments.beam, arguments.vad)
    recogniser.transcribe(np.zeros(RATE, dtype=np.float32))
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        audio = decode_audio(job["recording"], sampling_rate=RATE)
        recogniser.language = job["language"]
        before = process_time()
        words = hear(recogniser, audio, Pace(job["pace"]))
        run = Run(
            system=arguments.system,
            recording=Path(job["recording"]).stem,
            language=job["language"],
            audio_s=len(audio) / RATE,
            text="".join(word.text for word in words),
            words=words,
            recognition_cpu_s=process_time() - before,
            peak_bytes=peak_bytes(os.getpid()),
        )
        print(json.dumps(run.to_json()), flush=True)


def hear(recogniser: FasterWhisper, audio: Audio, pace: Pace) -> list[Word]:
    """Recognises a recording."""
    return offline(recogniser, audio) if pace is Pace.OFFLINE else stream(recogniser, audio, pace)


def stream(recogniser: FasterWhisper, audio: Audio, pace: Pace) -> list[Word]:
    """Plays `audio` to the policy, as whisper_streaming's own simulations do.

    At the speed of speech each round takes all sound that has been spoken, at least `MIN_CHUNK_S` of
    it; unpaced, just that. The last round need not wait for that much, since the end is known.
    """
    online = online_processor(recogniser)
    words: list[Word] = []
    fed = 0
    start = monotonic()

    def now() -> float:
        return monotonic() - start if pace is Pace.LIVE else fed / RATE

    while fed < len(audio):
        due = min(fed + int(MIN_CHUNK_S * RATE), len(audio))
        if pace is Pace.LIVE:
            sleep(max(0.0, due / RATE - now()))
            due = min(max(int(now() * RATE), due), len(audio))
        online.insert_audio_chunk(audio[fed:due])
        fed = due
        tokens, _ = online.process_iter()
        words += [Word(token.text, token.end, now()) for token in tokens]
    tokens, _ = online.finish()
    return words + [Word(token.text, token.end, now()) for token in tokens]


def offline(recogniser: FasterWhisper, audio: Audio) -> list[Word]:
    """Recognises the whole recording at once; committed when all is done."""
    start = monotonic()
    tokens = recogniser.ts_words(recogniser.transcribe(audio))
    end = monotonic() - start
    return [Word(token.text, token.end, end) for token in tokens]


if __name__ == "__main__":
    main()
