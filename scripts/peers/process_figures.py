"""Processor time and memory of a process, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S: int = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuTimes:
    """Processor seconds, user and system, since a process began."""

    process: float
    """All its threads, those that have ended too."""
    threads: dict[str, tuple[str, float]]
    """Name and seconds of each living thread, by its id."""

    def since(self, before: "CpuTimes") -> float:
        """Seconds of the whole process since `before`."""
        return self.process - before.process

    def since_without(self, before: "CpuTimes", names: tuple[str, ...]) -> float:
        """Seconds of the process since `before`, less those of threads whose names begin so.

        Only threads that still live are taken off, since /proc shows those that have ended only in
        the sum of the process.
        """
        named = sum(
            seconds - before.threads.get(thread, ("", 0.0))[1]
            for thread, (name, seconds) in self.threads.items()
            if name.startswith(names)
        )
        return self.since(before) - named


def cpu_times(process: int) -> CpuTimes:
    """Processor times of a process and its threads."""
    folder = Path(f"/proc/{process}")
    threads: dict[str, tuple[str, float]] = {}
    for task in (folder / "task").iterdir():
        try:
            threads[task.name] = _name_and_seconds(task / "stat")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return CpuTimes(_name_and_seconds(folder / "stat")[1], threads)


def peak_bytes(process: int) -> int:
    """The most memory the process has held (VmHWM)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{process}/status has no VmHWM")


def machine_busy_s() -> float:
    """Processor seconds that all processes of this machine have used since it was started."""
    user, nice, system, _idle, _wait, irq, soft_irq = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
    )
    return (user + nice + system + irq + soft_irq) / _TICKS_PER_S


def _name_and_seconds(stat: Path) -> tuple[str, float]:
    """Name, and user and system time, of a stat file. The name may hold blanks and parentheses."""
    head, _, tail = stat.read_text().rpartition(")")
    fields = tail.split()
    return head.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
