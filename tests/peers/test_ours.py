"""Reading the client's event log."""

import unittest

from ours import read_events
from runs import Word

LOG = """\
{"receivedAtMs":0,"sessionStarted":{"sessionId":"a"}}
{"receivedAtMs":900,"sourceText":{"tentative":" Les deux","utteranceId":"1"}}
{"receivedAtMs":2500,"sourceText":{"committed":"Les","words":[{"text":"Les","sourceEndMs":"1956"}],"tentative":" eux"}}
{"receivedAtMs":3000,"sourceText":{"committed":" deux","words":[{"text":"deux","sourceEndMs":"2216"}]}}
{"receivedAtMs":3100,"translatedText":{"committed":"Both","words":[{"text":"Both","sourceEndMs":"2216"}]}}
{"receivedAtMs":3200,"sessionEnded":{"stages":[{"stage":"detect","busyMs":"90"},{"stage":"recognise","busyMs":"410"},{"stage":"speak:en","busyMs":"5000"},{"stage":"translate:en"}]}}
"""


class EventLog(unittest.TestCase):
    """Committed source words and the stages that recognise, and nothing else, are read."""

    def test_committed_source_words_and_busy_times(self) -> None:
        text, words, busy_s = read_events(LOG)
        self.assertEqual(text, "Les deux")
        self.assertEqual(words, [Word("Les", 1.956, 2.5), Word("deux", 2.216, 3.0)])
        self.assertAlmostEqual(words[0].latency_s, 0.544)
        self.assertAlmostEqual(busy_s, 0.5)
