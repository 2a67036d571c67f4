"""Times interpretd's translation and CTranslate2's in turns, on the same model and sentences.

    translation.py [--lines N] [--rounds N] [--pairs fr-en,en-fr] [--text-folder FOLDER]

TEXT-FOLDER holds a text a language (fr.txt, en.txt), a sentence a line. Both translate greedily, 8-bit, one
sentence at a time and 32 at once. Prints a table; docs/translation-engine.md says
what is compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target/release/examples/translation_speed"
PEER = [sys.executable, str(Path(__file__).with_name("marian_ct2.py"))]


def model_folder(pair):
    listed = subprocess.run(
        [ROOT / "target/release/interpret", "models", "path", f"opus-mt-{pair}"],
        check=True, capture_output=True, text=True,
    )
    return Path(listed.stdout.strip())


def json_of(command, threads):
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def measure(pair, text, lines, rounds, threads):
    folder = model_folder(pair)
    there = len(text.read_text().splitlines())
    if there < lines:
        print(f"{text.name} has only {there} sentences: repeated to {lines}", file=sys.stderr)
        repeated = ROOT / "bench" / f"repeated-{text.name}"
        some = text.read_text().splitlines()
        repeated.write_text("\n".join((some * lines)[:lines]) + "\n")
        text = repeated
    converted = ROOT / "bench/ctranslate2" / pair
    if not (converted / "model.bin").exists():
        subprocess.run([*PEER, "convert", folder, converted], check=True)
    peer = lambda batch: [*PEER, "time", converted, folder, text, str(lines), str(threads), str(batch)]
    ours = lambda batch: [OURS, pair, text, f"lines={lines}", f"batch={batch}"]
    kinds = {
        "interpretd": ours(1),
        "CTranslate2 int8": peer(1),
        "interpretd, 32 at once": ours(32),
        "CTranslate2 int8, 32 at once": peer(32),
    }
    runs = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, command in kinds.items():
            runs[kind].append(json_of([str(part) for part in command], threads))
    rate = lambda result: result["tokens"] / result["seconds"]
    ours = None
    for kind, results in runs.items():
        rates = [rate(result) for result in results]
        median = statistics.median(rates)
        if kind.startswith("interpretd"):
            ours = median
        middle = sorted(results, key=rate)[len(results) // 2]
        print(
            f"| {pair} | {threads} | {kind} | {median:.0f} ({min(rates):.0f} to {max(rates):.0f}) "
            f"| {ours / median:.2f} | {middle['p50_ms']:.0f}, {middle['p95_ms']:.0f} "
            f"| {middle['first_translation_s']:.2f} | {middle['peak_mb']:.0f} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", default="fr-en,en-fr")
    parser.add_argument("--text-folder", type=Path, default=ROOT / "models/tests/text")
    arguments = parser.parse_args()
    print("| pair | threads | engine | tokens a second | ours is so many times as fast | ms a sentence, "
          "median and p95 (a batch: of 32) | first translation after s | MB at most |")
    print("|---|---|---|---|---|---|---|---|")
    for pair in arguments.pairs.split(","):
        text = arguments.text_folder / f"{pair[:2]}.txt"
        for threads in (1, 2):
            measure(pair, text, arguments.lines, arguments.rounds, threads)


if __name__ == "__main__":
    main()
