"""Reading manifests."""

import unittest
from pathlib import Path

from manifest import recordings

MANIFEST = Path(__file__).parent.parent / "speech" / "manifest.tsv"


class Manifest(unittest.TestCase):
    """Of the speech that the system tests use."""

    def test_each_recording_is_there_once(self) -> None:
        found = recordings(MANIFEST, frozenset({"fr", "en"}))
        paths = [recording.path for recording in found]
        self.assertEqual(len(paths), len(set(paths)))
        self.assertEqual([path for path in paths if not path.is_file()], [])
        self.assertEqual({recording.language for recording in found}, {"fr", "en"})

    def test_other_languages_are_left_out(self) -> None:
        found = recordings(MANIFEST, frozenset({"fr"}))
        self.assertTrue(found)
        self.assertEqual({recording.language for recording in found}, {"fr"})
