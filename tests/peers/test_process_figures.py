"""Processor time and memory from /proc."""

import os
import threading
import time
import unittest

from process_figures import CpuTimes, cpu_times, machine_busy_s, peak_bytes


class ProcessFigures(unittest.TestCase):
    """Of this very process, and of made-up times."""

    def test_work_is_counted(self) -> None:
        before, machine = cpu_times(os.getpid()), machine_busy_s()
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        # Ticks are 10 ms, of user and system time each.
        self.assertGreater(cpu_times(os.getpid()).since(before), 0.2)
        self.assertGreater(machine_busy_s() - machine, 0.2)

    def test_living_threads_are_listed(self) -> None:
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        try:
            self.assertIn(str(thread.native_id), cpu_times(os.getpid()).threads)
        finally:
            done.set()
            thread.join()

    def test_named_threads_are_taken_off_and_new_ones_too(self) -> None:
        before = CpuTimes(10.0, {"1": ("recognition", 4.0), "2": ("synthesis", 5.0)})
        after = CpuTimes(
            20.0, {"1": ("recognition", 7.0), "2": ("synthesis", 8.0), "3": ("synthesis-1", 1.0)}
        )
        self.assertAlmostEqual(after.since_without(before, ("synthesis",)), 6.0)

    def test_memory_is_held(self) -> None:
        self.assertGreater(peak_bytes(os.getpid()), 1 << 20)
