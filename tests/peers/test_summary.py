"""Figures of many runs."""

import json
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Report
from runs import Run, Word
from summary import common_latencies, ratio, summary


def run(system: str, words: list[Word], cpu_s: float, recording: str = "a") -> Run:
    """A run of ten seconds."""
    text = " ".join(word.text for word in words)
    return Run(system, recording, "fr", 10.0, text, words, cpu_s, 1 << 20)


CLOCK = {"a": [Word(" L'un", 1.0, 9.0), Word(" dit", 2.0, 9.0)], "b": []}
PEER = run("peer", [Word(" L'un", 1.5, 3.0), Word(" dit", 2.0, 6.0)], cpu_s=5.0)
OURS = run("ours", [Word("L'un", 0.5, 2.0), Word("lit", 2.0, 3.0)], cpu_s=1.0)


class Figures(unittest.TestCase):
    """Latencies, their common clock, and ratios."""

    def test_latency_by_own_times_and_by_the_common_clock(self) -> None:
        row = summary([PEER], "fr", {"a": "l'un dit"}, CLOCK)
        self.assertEqual((row.latency_median_s, row.latency_p95_s), (1.5, 4.0))
        self.assertEqual((row.common_median_s, row.common_p95_s), (2.0, 4.0))
        self.assertEqual((row.errors.errors, row.errors.words), (0, 3))
        self.assertAlmostEqual(row.recognition_cores, 0.5)

    def test_the_common_clock_leaves_out_words_that_differ(self) -> None:
        self.assertEqual(common_latencies(OURS, CLOCK), [1.0, 1.0])

    def test_ratios_are_of_pairs(self) -> None:
        alone = run("ours", [Word("seul", 1.0, 99.0)], cpu_s=99.0, recording="b")
        found = ratio([OURS, alone], [PEER], CLOCK)
        assert found
        self.assertAlmostEqual(found.latency, 1.0 / 1.5)
        self.assertAlmostEqual(found.common_latency, 0.5)
        self.assertAlmostEqual(found.recognition_cores, 0.2)
        self.assertIsNone(ratio([alone], [PEER], CLOCK))

    def test_a_report_without_words_is_valid_json(self) -> None:
        row = summary([run("peer", [], cpu_s=1.0)], "fr", {"a": "un"}, CLOCK)
        with TemporaryDirectory() as folder:
            Report({}, 0.0, {}, [row], [], [], []).write(Path(folder))
            text = (Path(folder) / "report.json").read_text(encoding="utf-8")
        written = json.loads(text, parse_constant=lambda name: self.fail(f"{name} is no JSON"))
        self.assertIsNone(written["streamed"][0]["latency_median_s"])

    def test_a_busy_machine_is_told(self) -> None:
        for others, told in [(0.0, False), (0.5, True)]:
            text = Report({}, others, {}, [], [], [], []).markdown()
            self.assertEqual("not idle" in text, told)

    def test_a_run_survives_json(self) -> None:
        self.assertEqual(Run.from_json(json.loads(json.dumps(PEER.to_json()))), PEER)
