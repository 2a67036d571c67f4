"""Generates the messages and the stub from the .proto when the package is built."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
#: The repository's file; in a source distribution, the copy that was packed into it.
PROTOS = (ROOT.parent / "proto/interpret/v1", ROOT / "proto/interpret/v1")
PACKAGE = "interpretd_client/_proto"


def proto_folder() -> Path:
    for folder in PROTOS:
        if (folder / "interpreter.proto").is_file():
            return folder
    places = " or ".join(str(folder) for folder in PROTOS)
    raise FileNotFoundError(f"interpreter.proto is not in {places}; build from a whole checkout")


def plugin(name: str) -> str:
    """A plugin of protoc: on the PATH in a build's environment, beside Python in a virtual one."""
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        raise FileNotFoundError(f"{name} is missing; install the dev extras")
    return found


def generate(into: Path = ROOT / "src") -> None:
    """Writes the package interpretd_client._proto below `into`."""
    out = into / PACKAGE
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [sys.executable, "-m", "grpc_tools.protoc"]
    # The folder is shown to protoc as the package, so that generated modules import each other
    # from there.
    command += [f"--proto_path={PACKAGE}={proto_folder()}"]
    command += [f"--python_out={into}", f"--grpc_python_out={into}"]
    for name in ("mypy", "mypy_grpc"):
        command += [f"--plugin=protoc-gen-{name}={plugin(f'protoc-gen-{name}')}"]
    command += [f"--mypy_out=quiet:{into}", f"--mypy_grpc_out=quiet,only_async:{into}"]
    subprocess.run([*command, f"{PACKAGE}/interpreter.proto"], check=True)  # noqa: S603
    (out / "__init__.py").write_text('"""Generated from interpreter.proto."""\n')


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run by ./generate, outside a build
    pass
else:

    class GenerateHook(BuildHookInterface):  # type: ignore[misc]
        def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
            generate()
            if self.target_name == "sdist":
                proto = proto_folder() / "interpreter.proto"
                build_data["force_include"][str(proto)] = "proto/interpret/v1/interpreter.proto"


if __name__ == "__main__":
    generate()
